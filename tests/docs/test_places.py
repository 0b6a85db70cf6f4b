"""The tables of the design and of the contributor's page name places that there are, and the design each room."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import CHECKOUT, SITE, text

PACKAGE = CHECKOUT / "src" / "opentelemetry" / "exporter" / "prometheus_remote_write"
FIRST_CELLS = re.findall(r"^\| (`[^|]*) \|", text(SITE / "explanation" / "design.md"), re.MULTILINE)
ROOMS = {room.removesuffix("/") for cell in FIRST_CELLS for room in re.findall(r"`([^`]+)`", cell)}
CHANGES = text(CHECKOUT / "CONTRIBUTING.md").partition("## Where a change goes")[2].partition("\n\nData flows")[0]
FILES = sorted({*re.findall(r"`([\w/]+\.py)`", CHANGES)})


def test_design_describes_every_room_and_no_other():
    there = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert there - {"__init__", "__pycache__"} == ROOMS


@pytest.mark.parametrize("name", FILES)
def test_place_of_a_change_is_there(name):
    assert list(PACKAGE.rglob(name))
