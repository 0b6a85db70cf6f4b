"""What a browser is shown; the receiver itself has no more to show than where to push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """An answer to a GET request.

    Args:
        body: Its body, or what comes of it piece by piece until the client leaves; empty pieces are for waiting.
        status: The HTTP status.
        headers: Headers of the answer.
    """

    body: bytes | Iterator[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Pages(Protocol):
    """Answers GET requests."""

    def get(self, target: str) -> PageAnswer | None:
        """Return the answer to a request for a target (path and query), or None where there is nothing."""


class NoPages:
    """Nothing to show."""

    def get(self, target: str) -> PageAnswer | None:
        """Return nothing, whatever the target."""
        del target
        return None
