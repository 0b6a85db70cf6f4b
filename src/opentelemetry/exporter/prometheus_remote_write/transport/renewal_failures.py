"""How often a secret or a certificate could not be renewed; counted from several threads at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable


class RenewalFailures:
    """Counts attempts that failed, by what was to be renewed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def of(self, what: str) -> Callable[[], None]:
        """Return what counts a failure; from now on there are 0 of them.

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
        """How many there were of each."""
        return dict(self._counts)

    def after_fork(self) -> None:
        """Count from zero, in a forked child; the lock may have been held by a thread that it does not have."""
        self._lock = threading.Lock()
        self._counts = Counter(dict.fromkeys(self._counts, 0))
