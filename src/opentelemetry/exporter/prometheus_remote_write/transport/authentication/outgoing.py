"""A request as authentication sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Outgoing(NamedTuple):
    """A request that is about to be sent.

    Args:
        method: Of HTTP.
        url: The whole URL, with its query.
        headers: All others, as they go over the wire.
        body: The bytes that are sent.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
