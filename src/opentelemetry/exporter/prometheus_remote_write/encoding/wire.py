"""The few parts of protobuf's wire format that are written by hand (Protocol Buffers, "Encoding").

Protobuf allows the fields of a message in any order and in pieces. So constant parts are encoded once and kept, and the
changing parts are put next to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

LENGTH_DELIMITED = 2
VARINT = 0


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >> 7:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_MOST_KEPT = 1 << 11  # more would slow the start of every process
_KEPT = tuple(map(_varint, range(_MOST_KEPT)))


def varint(number: int) -> bytes:
    """Return a non-negative number as a varint."""
    return _KEPT[number] if number < _MOST_KEPT else _varint(number)


@lru_cache(maxsize=64)  # there are fewer
def tag(field: int, wire_type: int) -> bytes:
    """Return the tag that precedes a field's value."""
    return varint(field << 3 | wire_type)


def delimited(field: int, content: bytes) -> bytes:
    """Return a field that holds a string, a message or packed numbers."""
    return tag(field, LENGTH_DELIMITED) + varint(len(content)) + content


def timestamp(milliseconds: int) -> bytes:
    """Return a time as a varint that always has six bytes, so that every sample has the same length.

    Args:
        milliseconds: Since the epoch, from 0 to ``timestamps.LATEST``.
    """
    return bytes(
        (  # spelled out because every new stream has one: a comprehension takes more than twice as long
            milliseconds & 0x7F | 0x80,
            milliseconds >> 7 & 0x7F | 0x80,
            milliseconds >> 14 & 0x7F | 0x80,
            milliseconds >> 21 & 0x7F | 0x80,
            milliseconds >> 28 & 0x7F | 0x80,
            milliseconds >> 35,
        )
    )


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of a message, each as its number and its content.

    Args:
        message: One in which each field has a number below 16 and holds a string or a message.
    """
    place = 0
    while place < len(message):
        field = message[place] >> 3
        place += 1
        size = shift = 0
        while (byte := message[place]) & 0x80:
            size |= (byte & 0x7F) << shift
            shift += 7
            place += 1
        start = place + 1
        place = start + (size | byte << shift)
        yield field, message[start:place]
