"""Snappy's block format, which Remote Write demands of every request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from ..messages.own_logger import OwnLogger
from .wire import varint

Compress: TypeAlias = Callable[[Iterable[bytes]], bytes]
"""Makes the body of a request of a message that comes in pieces, best of some 60 KiB."""

_logger = OwnLogger(__name__)

_LONGEST_LITERAL = 1 << 16
_SHORT_LITERAL = 60
_LONG_LITERAL = b"\xf4"
_ENGINE_NEEDS = 1 << 18  # bytes, more than for a piece, its block and a table
_LONGEST_VARINT = 5  # bytes of a length of 32 bits


def stored(content: bytes) -> bytes:
    """Return a snappy block that holds the content as it is (snappy's format description: literals)."""
    pieces = [varint(len(content))]
    for start in range(0, len(content), _LONGEST_LITERAL):
        literal = content[start : start + _LONGEST_LITERAL]
        length = len(literal) - 1
        # The upper six bits hold the length less one, or 61: then it follows in two bytes. Decoders in Rust refuse the
        # long form of a literal so short that less than four bytes follow.
        opening = bytes([length << 2]) if length < _SHORT_LITERAL else _LONG_LITERAL + length.to_bytes(2, "little")
        pieces += (opening, literal)
    return b"".join(pieces)


def uncompressed(block: bytes) -> bytes:
    """Return the content of a snappy block that :func:`compressor` has made."""
    try:
        from snappy import uncompress  # noqa: PLC0415 - may be missing
    except ImportError:
        return _unstored(block)
    return bytes(uncompress(block))


def uncompressed_size(block: bytes) -> int:
    """Return how many bytes the content of a snappy block has, which stands at its beginning."""
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
    """Return what makes the body of a request: with snappy, or stored where snappy's engine cannot be imported.

    That is so where a folder built for another Python was put into the process; the metrics are worth the bytes.
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
    """Compress pieces one by one, and make one block of the blocks.

    Snappy looks back no further than 64 KiB, and a block is its length, then what makes it up; so blocks without their
    lengths, one after the other, are a block.
    """

    def block(piece: bytes) -> tuple[int, bytes]:
        return len(piece), compress(piece)[len(varint(len(piece))) :]

    bytes(_ENGINE_NEEDS)  # raises MemoryError; the engine, which is written in Rust, would end the process
    blocks = list(map(block, pieces))  # no loop, whose variable would hold a piece while the next is made
    return b"".join((varint(sum(length for length, _ in blocks)), *(content for _, content in blocks)))
