"""Snappy's block format, which Remote Write demands of every request."""

from __future__ import annotations

import logging
from collections.abc import Callable

from opentelemetry.exporter.prometheus_remote_write.encoding.wire import varint

_logger = logging.getLogger(__name__)

_LONGEST_LITERAL = 1 << 16


def stored(content: bytes) -> bytes:
    """Returns a snappy block that holds the content as it is (snappy's format description: literals)."""
    pieces = [varint(len(content))]
    for start in range(0, len(content), _LONGEST_LITERAL):
        literal = content[start : start + _LONGEST_LITERAL]
        # 61 in the upper six bits: the length, less one, follows in two bytes.
        pieces += (b"\xf4", (len(literal) - 1).to_bytes(2, "little"), literal)
    return b"".join(pieces)


def compressor() -> Callable[[bytes], bytes]:
    """Returns what compresses a request: snappy, or :func:`stored` where snappy's engine cannot be imported.

    That is so where a folder built for another Python was put into the process; the metrics are worth the bytes.
    """
    try:
        from snappy import compress  # noqa: PLC0415 - may be missing
    except ImportError as error:
        _logger.warning(
            "python-snappy cannot be imported (%s): requests are sent uncompressed, in snappy's format", error
        )
        return stored
    return lambda content: bytes(compress(content))
