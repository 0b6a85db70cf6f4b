"""Answers that a test scripts in place of the receiver's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .received import ReceivedRequest


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """What to do with one sound request.

    Args:
        status: The HTTP status.
        headers: Headers of the answer.
        body: Its body.
        delay: Seconds to wait before the answer; closing the receiver cuts it short.
        drop: Close the connection instead of answering.
        stored: Whether the request counts as received. Not given: if the status is 2xx.
    """

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    drop: bool = False
    stored: bool | None = None

    @property
    def stores(self) -> bool:
        """Whether the request counts as received."""
        return 200 <= self.status < 300 if self.stored is None else self.stored  # noqa: PLR2004 - the 2xx statuses


Answers: TypeAlias = Callable[[ReceivedRequest], ScriptedAnswer | None] | Iterable[ScriptedAnswer | None]
"""A function of the request, or one answer for each request in turn; None, or the end, is the receiver's own answer.

The function is called for one request at a time and must not wait; that is what ``delay`` is for.
"""


def script(answers: Answers) -> Callable[[ReceivedRequest], ScriptedAnswer | None]:
    """Return either form of a script as a function."""
    if callable(answers):
        return answers
    remaining = iter(answers)
    return lambda _: next(remaining, None)
