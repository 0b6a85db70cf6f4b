"""The messages of Remote Write, and the modules that protoc generates from them; encoding and the receiver share them.

Protobuf is imported with the first message, because most requests are encoded without it: a short-lived process does
not pay for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import write_v1_pb2, write_v2_pb2

__all__ = ["write_v1_pb2", "write_v2_pb2"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")  # the import makes it an attribute
