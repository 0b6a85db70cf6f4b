"""The top level of a protobuf message, field by field, so that a request is bounded before it becomes objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .refusal import Refusal

MOST_BYTES_OF_A_PART = 1024 * 1024
"""How long one series or one piece of metadata may be."""

_LENGTH_DELIMITED = 2
_VARINT_BITS = 64


class Field(NamedTuple):
    """A field that has a length: its number, and where its content is."""

    number: int
    start: int
    end: int


class Elements:
    """Counts what a request consists of, and refuses it when that is too much.

    Args:
        limit: The most elements.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def take(self, number: int) -> None:
        """Count some more.

        Raises:
            Refusal: With 413, there are too many.
        """
        self._left -= number
        if self._left < 0:
            raise Refusal(
                f"the request has more than {self._limit} elements (labels, samples, buckets, ...): send fewer at once",
                status=413,
            )


def bounded_fields(content: bytes, known: frozenset[int], message: str, elements: Elements) -> Iterator[Field]:
    """Yield the fields of a message, all of which have a length.

    Args:
        content: The bytes of the message.
        known: The numbers that its fields may have.
        message: The name of the message, for the reason.
        elements: Counts the fields.

    Raises:
        Refusal: The bytes are no such message, or too many.
    """
    place = 0
    while place < len(content):
        elements.take(1)
        key, place = _varint(content, place, message)
        if key >> 3 not in known:
            raise Refusal(f"the body has a field that the protocol does not have: {message} {key >> 3}")
        if key & 7 != _LENGTH_DELIMITED:
            raise malformed(message, f"field {key >> 3} has wire type {key & 7}")
        length, place = _varint(content, place, message)
        if place + length > len(content):
            raise malformed(message, "it is cut off")
        yield Field(key >> 3, place, place + length)
        place += length


def malformed(message: str, why: object) -> Refusal:
    """Return the refusal of bytes that are no such message.

    Args:
        message: The name of the message.
        why: What is wrong.
    """
    return Refusal(f"the body is no {message} with strings in UTF-8: {why}")


def _varint(content: bytes, place: int, message: str) -> tuple[int, int]:
    number = 0
    for shift in range(0, _VARINT_BITS, 7):
        if place >= len(content):
            raise malformed(message, "it is cut off")
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the eighth bit says that more follows
            return number, place
    raise malformed(message, "a number is too long")
