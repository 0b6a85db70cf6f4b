"""Text on its way to a reader that may be slow or stuck: bounded, with losses counted."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

_LIMIT = 4 * 1024 * 1024


class Text(NamedTuple):
    """A text for standard error or standard output."""

    text: str
    is_error: bool = False


class Outbox:
    """A queue of texts.

    Args:
        limit: How many characters may wait before texts are dropped.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._texts: deque[Text] = deque()
        self._size = 0
        self._lost = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, lines: Iterable[str], *, is_error: bool = False) -> None:
        """Add lines as one text, unless too much waits already or the outbox is closed: then do not even make them."""
        with self._changed:
            if self._is_closed:
                return
            if self._size >= self._limit:
                self._lost += 1
                return
        text = "".join(f"{line}\n" for line in lines)
        with self._changed:
            self._texts.append(Text(text, is_error))
            self._size += len(text)
            self._changed.notify_all()

    def close(self) -> None:
        """Accept no more texts."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def take(self) -> Text | None:
        """Return the next text once there is one, or None when there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._texts or self._is_closed)
            if not self._texts:
                return None
            text = self._texts.popleft()
            self._size -= len(text.text)
            return text

    def lost(self) -> int:
        """Return how many texts did not fit since this was last asked."""
        with self._changed:
            lost, self._lost = self._lost, 0
            return lost
