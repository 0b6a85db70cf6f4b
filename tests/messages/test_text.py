from __future__ import annotations

from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.messages.text import one_line, plural, valid_text


class Colour(str, Enum):
    RED = "red"


def test_each_surrogate_becomes_a_replacement_character():
    assert valid_text("a\udcffb\ud83d\ude00") == "a\ufffdb\ufffd\ufffd"


def test_a_member_of_an_enum_gives_the_text_it_holds():
    assert type(valid_text(Colour.RED)) is str
    assert valid_text(Colour.RED) == "red"


@given(st.text())
def test_text_without_surrogates_stays_as_it_is(text):
    assert valid_text(text) == text


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_written_as_utf8(text):
    assert len(valid_text(text).encode().decode()) == len(text)


@given(st.text(st.characters(exclude_categories=())), st.integers(0, 100))
def test_any_text_is_shown_as_one_line_of_its_beginning(text, longest):
    shown = one_line(text, longest)
    assert shown.isprintable()
    assert len(shown) <= longest + 1
    assert shown == text or not text.isprintable() or len(text) > longest


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, ["samples", "retries"]), (1, ["sample", "retry"]), (2, ["samples", "retries"])],
    ids=["none", "one", "several"],
)
def test_a_word_has_the_form_that_its_number_needs(number, words):
    assert [plural(number, "sample"), plural(number, "retry", "retries")] == words
