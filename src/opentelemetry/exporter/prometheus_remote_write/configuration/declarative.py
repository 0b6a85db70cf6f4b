"""Exporters that are created for a declarative file: there, no programmer sees an exception.

The SDK's configurator lets the exporter's exception end the instrumentation of the whole application.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_from_file = ContextVar("an exporter is made for a declarative file", default=False)


@contextmanager
def from_declarative_file() -> Iterator[None]:
    """Make exporters that are created inside log wrong arguments and then send nothing, instead of raising."""
    token = _from_file.set(True)
    try:
        yield
    finally:
        _from_file.reset(token)


def is_from_declarative_file() -> bool:
    """Return whether wrong arguments are those of a declarative file."""
    return _from_file.get()
