"""A request as authentication sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Outgoing(NamedTuple):
    """A request that is about to be sent.

    Args:
        method: The HTTP method.
        url: The whole URL, with its query.
        headers: All other headers, as sent.
        body: The bytes to send.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
