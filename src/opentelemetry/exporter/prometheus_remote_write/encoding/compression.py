"""Snappy's block format, which Remote Write demands of every request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from ..messages.own_logger import OwnLogger
from .wire import varint

Compress: TypeAlias = Callable[[Iterable[bytes]], bytes]
"""Compresses a message that comes in pieces, ideally of about 60 KiB, into the body of a request."""

_logger = OwnLogger(__name__)

_LONGEST_LITERAL = 1 << 16
_SHORT_LITERAL = 60
_LONG_LITERAL = b"\xf4"
_ENGINE_NEEDS = 1 << 18  # bytes, more than for a piece, its block and a table
_LONGEST_VARINT = 5  # bytes of a length of 32 bits


def stored(content: bytes) -> bytes:
    """Return a snappy block with uncompressed content (snappy's format description: literals)."""
    pieces = [varint(len(content))]
    for start in range(0, len(content), _LONGEST_LITERAL):
        literal = content[start : start + _LONGEST_LITERAL]
        length = len(literal) - 1
        # The upper six bits hold the length minus one; 61 means that it follows in two bytes. Decoders in Rust refuse
        # the long form for a literal so short that fewer than four bytes follow.
        opening = bytes([length << 2]) if length < _SHORT_LITERAL else _LONG_LITERAL + length.to_bytes(2, "little")
        pieces += (opening, literal)
    return b"".join(pieces)


def uncompressed(block: bytes) -> bytes:
    """Return the content of a snappy block made by :func:`compressor`."""
    try:
        from snappy import uncompress  # noqa: PLC0415 - may be missing
    except ImportError:
        return _unstored(block)
    return bytes(uncompress(block))


def uncompressed_size(block: bytes) -> int:
    """Return how many bytes the content of a snappy block has, as its beginning says."""
    size = 0
    for place, byte in enumerate(block[:_LONGEST_VARINT]):
        size |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            break
    return size


def _unstored(block: bytes) -> bytes:
    position = next(place for place, byte in enumerate(block) if not byte & 0x80) + 1  # after the varint
    pieces = []
    while position < len(block):
        if block[position] == _LONG_LITERAL[0]:
            start = position + 3
            length = int.from_bytes(block[position + 1 : start], "little")
        else:
            start = position + 1
            length = block[position] >> 2
        position = start + length + 1
        pieces.append(block[start:position])
    return b"".join(pieces)


def compressor() -> Compress:
    """Return the function that compresses a message, or stores it uncompressed if snappy's engine cannot be imported.

    The import fails if the injected packages were built for another Python; metrics are worth the larger requests.
    """
    try:
        from snappy import compress  # noqa: PLC0415 - may be missing
    except ImportError as error:
        _logger.warning(
            "python-snappy cannot be imported (%s): requests are sent uncompressed, in snappy's format", error
        )
        return partial(_in_blocks, stored)
    return partial(_in_blocks, compress)


def _in_blocks(compress: Callable[[bytes], bytes], pieces: Iterable[bytes]) -> bytes:
    """Compress pieces one by one and join them into one block.

    Snappy looks back no further than 64 KiB, and a block is its length followed by its elements; so the concatenated
    elements of several blocks, after their total length, are a block.
    """

    def block(piece: bytes) -> tuple[int, bytes]:
        return len(piece), compress(piece)[len(varint(len(piece))) :]

    bytes(_ENGINE_NEEDS)  # raises MemoryError, where the engine, written in Rust, would abort the process
    blocks = list(map(block, pieces))  # not a loop, whose variable would keep a piece alive while the next is made
    return b"".join((varint(sum(length for length, _ in blocks)), *(content for _, content in blocks)))
