"""How often each secret or certificate could not be renewed; counted from several threads at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable


class RenewalFailures:
    """Counts failed renewals by secret or certificate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def of(self, what: str) -> Callable[[], None]:
        """Return a function that counts a failure, starting from 0.

        Args:
            what: The setting or the kind of credentials.
        """
        self._counts.setdefault(what, 0)

        def count() -> None:
            with self._lock:
                self._counts[what] += 1

        return count

    @property
    def counts(self) -> dict[str, int]:
        """The number of failures of each."""
        return dict(self._counts)

    def after_fork(self) -> None:
        """Count from zero, in a forked child; another thread of the parent may have held the lock."""
        self._lock = threading.Lock()
        self._counts = Counter(dict.fromkeys(self._counts, 0))
