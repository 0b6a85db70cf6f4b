"""A name is of one thing: no class and no public function of the library has a namesake in another room."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import opentelemetry.exporter.prometheus_remote_write as package

LIBRARY = Path(package.__file__).parent


def rooms_by_name():
    found = defaultdict(set)
    for path in LIBRARY.rglob("*.py"):
        room, *_ = path.relative_to(LIBRARY).parts
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_public_function = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if isinstance(node, ast.ClassDef) or is_public_function:
                found[node.name].add(room)
    return found


def test_no_two_rooms_have_a_class_or_a_public_function_of_one_name():
    found = rooms_by_name()
    assert {"Translator", "Batch", "Delivery", "Transport"} <= found.keys()
    assert {name: rooms for name, rooms in found.items() if len(rooms) > 1} == {}
