"""The body's compression: snappy's block format."""

from __future__ import annotations

import snappy

from .refusal import Refusal

_FRAMED = b"\xff\x06\x00\x00sNaPpY"
_LONGEST_LENGTH = 5  # bytes: a varint of 32 bits


def decompress(body: bytes, limit: int) -> bytes:
    """Return the content of a block, never using more memory than the limit allows.

    Args:
        body: The body of a request.
        limit: The largest decoded size in bytes that is accepted.

    Raises:
        Refusal: The body is framed snappy, no snappy, or too large (413).
    """
    if body.startswith(_FRAMED):
        raise Refusal("the body is in snappy's framed format; Remote Write has the block format")
    length = _decoded_length(body)
    if length > limit:
        raise Refusal(f"the body decodes to {length} bytes; the limit is {limit}", status=413)
    try:
        return bytes(snappy.uncompress(body))
    except snappy.UncompressError as error:
        raise Refusal("the body is not a snappy block") from error


def _decoded_length(body: bytes) -> int:
    """Return the length that a block declares in its first bytes, seven bits in each, lowest first."""
    length = 0
    for place, byte in enumerate(body[:_LONGEST_LENGTH]):
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the eighth bit says that more follows
            return length
    raise Refusal("the body is not a snappy block: it does not begin with a length")
