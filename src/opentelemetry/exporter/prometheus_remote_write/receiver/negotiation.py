"""Which version of the protocol a request speaks, by its headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .refusal import Refusal

if TYPE_CHECKING:
    from email.message import Message

_VERSIONS = {
    "application/x-protobuf": ("1.0", "0.1.0"),
    "application/x-protobuf;proto=prometheus.WriteRequest": ("1.0", "0.1.0"),
    "application/x-protobuf;proto=io.prometheus.write.v2.Request": ("2.0", "2.0.0"),
}
"""The protocol of each Content-Type, and what the version header says beside it."""

_PRODUCT = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\s|$)")


def negotiate(headers: Message) -> str:
    """Return the version of the protocol, ``1.0`` or ``2.0``.

    The rules are those of Remote Write 1.0 and 2.0, section Protocol. Spelling counts: Prometheus overlooks a parameter
    of Content-Type that follows a space, takes the body for protocol 1.0, finds it empty and answers 204.

    Args:
        headers: The headers of the request.

    Raises:
        Refusal: With 415 for content that is not known, with 400 for a header that is missing, repeated or wrong.
    """
    content_type = _only(headers, "Content-Type")
    if content_type not in _VERSIONS:
        raise Refusal(
            f"Content-Type {content_type!r} is not known; known, to the letter: {', '.join(_VERSIONS)}", status=415
        )
    encoding = _only(headers, "Content-Encoding")
    if encoding != "snappy":
        raise Refusal(f"Content-Encoding {encoding!r} is not known; only snappy is", status=415)
    protocol, version = _VERSIONS[content_type]
    name = "X-Prometheus-Remote-Write-Version"
    if (sent := _only(headers, name)) != version:
        raise Refusal(f"{name} is {sent!r}, but protocol {protocol} says {version}")
    if not _PRODUCT.match(agent := _only(headers, "User-Agent")):
        raise Refusal(f"User-Agent {agent!r} does not name the sender and its version as product/version")
    return protocol


def _only(headers: Message, name: str) -> str:
    values = headers.get_all(name) or []
    if len(values) != 1:
        raise Refusal(f"header {name} is missing" if not values else f"header {name} is there {len(values)} times")
    return str(values[0])
