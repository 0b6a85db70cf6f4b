"""Every message that the exporter may log, read from its source, with an ellipsis for what varies."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.docs.pages import CHECKOUT

LIBRARY = CHECKOUT / "src" / "opentelemetry" / "exporter" / "prometheus_remote_write"
PLUG = CHECKOUT / "entry_points" / "opentelemetry_prometheus_remote_write"
_OTHERS = {"diagnose", "monitoring", "receiver", "proto"}
"""Rooms of the command, which print."""
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_CLAUSES = {"Problem", "Rejected", "Retryable", "Unsendable", "Unsupported", "Untranslatable"}
"""What the rest of a logged line is made of."""

_FRAMES = {"… …; nothing is sent", "resource attribute"}
"""What only stands around or before a clause."""


@cache
def messages() -> frozenset[str]:
    """The messages and the clauses."""
    files = [path for path in LIBRARY.rglob("*.py") if not _OTHERS & {*path.relative_to(LIBRARY).parts}]
    found = {text for path in (*files, *PLUG.rglob("*.py")) for text in _of(path.read_text(encoding="utf-8"))}
    return frozenset(text for text in found if len(re.findall(r"[a-z]{2,}", text)) > 1) - _FRAMES


def _of(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Yield) and node.value:  # a doubt about a setting
            yield _text(node.value)
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr in _LEVELS and "log" in ast.unparse(called.value).lower():
            yield from (re.sub(r"%[-#0-9.]*[a-z]", "…", text) for text in _texts(node)[:1])
        elif isinstance(called, ast.Name) and called.id in _CLAUSES:
            yield from _texts(node)[-1:]  # an Untranslatable has the word for its count before it


def _texts(call: ast.Call) -> list[str]:
    return [text for argument in call.args if (text := _text(argument)).strip("… ")]


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else "…"
    if isinstance(node, ast.JoinedStr):
        return "".join(value.value if isinstance(value, ast.Constant) else "…" for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return "…"
