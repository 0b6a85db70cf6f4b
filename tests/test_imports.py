"""Modules import only upward in the list of docs/design.md, and the library knows nothing of its plug."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = "opentelemetry.exporter.prometheus_remote_write"
LIBRARY = CHECKOUT / "src" / Path(*PACKAGE.split("."))
LISTED = [
    name.rstrip("/")
    for line in (CHECKOUT / "docs" / "design.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
    for name in re.findall("`([^`]+)`", line.split("|")[1])
]
OUTSIDE = {"__init__", "version"}
"""What may be imported by all, and what hands on the exporter."""


def files(name):
    return sorted((LIBRARY / name).rglob("*.py")) or [LIBRARY / f"{name}.py"]


def imported(path):
    """The full names of the modules that a file imports, early or late."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def imported_of_ours(name):
    """The modules and folders of the library that one of them imports, itself left out."""
    names = {each.removeprefix(f"{PACKAGE}.").split(".")[0] for path in files(name) for each in imported(path)}
    return names & {*LISTED} - {name}


def test_every_module_is_in_the_list():
    held = {path.stem for path in LIBRARY.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert sorted(LISTED) == sorted(held - OUTSIDE - {"__pycache__"})


@pytest.mark.parametrize("name", LISTED)
def test_module_imports_only_what_stands_before_it(name):
    assert imported_of_ours(name) <= {*LISTED[: LISTED.index(name)]}


def test_library_does_not_import_the_plug():
    names = {name for path in LIBRARY.rglob("*.py") for name in imported(path)}
    assert f"{PACKAGE}.errors.InvalidSetting" in names
    assert not [name for name in names if name.startswith("opentelemetry_prometheus_remote_write")]
