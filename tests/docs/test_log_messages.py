"""docs/reference/log-messages.md has every message that the exporter may log, and none that it has not."""

from __future__ import annotations

import re

import pytest

from tests.docs.log_messages import LIBRARY, PLUG, messages
from tests.docs.pages import SITE, text

PAGE = text(SITE / "reference" / "log-messages.md")
ROWS = [row.split(" | ") for row in re.findall(r"^\| (`.*) \|$", PAGE, re.MULTILINE)]
SOURCE = "".join(path.read_text(encoding="utf-8") for folder in (LIBRARY, PLUG) for path in folder.rglob("*.py"))
EXPLAINED = {row[0].strip("`") for row in ROWS}


def test_every_message_of_the_source_is_explained():
    in_prose = {message for message in messages() if f"`{message}`" in PAGE}
    assert messages() - EXPLAINED - in_prose == set()


@pytest.mark.parametrize("message", sorted(EXPLAINED))
def test_message_that_is_explained_is_in_the_source(message):
    """A message of the list, or one that is put together of pieces, of which the longest is looked for."""
    longest = max(message.split("…"), key=len)
    assert message in messages() or longest.strip() in SOURCE


def test_no_message_is_explained_twice():
    assert len(EXPLAINED) == len(ROWS)


def test_every_message_has_a_cause_and_a_cure():
    assert [row for row in ROWS if len(row) != 3 or not all(cell.strip() for cell in row)] == []
