"""Credentials that expire: kept until shortly before that, then renewed by one thread at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...errors import Retryable, SendError
from ...messages.own_logger import OwnLogger
from ..deadline import deadline, remaining, within_deadline
from ..suppressed_telemetry import suppressed_telemetry

_logger = OwnLogger(__name__)

T = TypeVar("T")

_EARLY = 300.0  # seconds before they expire; for short-lived ones, a fifth of their lifetime
_SHARE_OF_LIFE = 5
_GIVE_UP_AFTER = 5.0  # seconds for a renewal while the current ones are still valid
_PAUSE = 30.0  # seconds after a failed renewal, while the current ones are still valid
LONGEST = 30.0
"""Seconds for one renewal, which may outlast the request that started it."""


@dataclass(frozen=True)  # Python 3.10 has no generic named tuples
class Lease(Generic[T]):
    """Credentials with a limited lifetime.

    Args:
        credentials: The credentials.
        end: Seconds since the epoch; infinity if they do not expire.
    """

    credentials: T
    end: float


class Renewal(Generic[T]):
    """Credentials that are fetched at the first request and renewed before they expire; used by several threads.

    Fetching may hang; it runs in a thread of its own, one at a time, and a request waits for it no longer than its own
    deadline. The current credentials are used while they are valid, whatever happens to their renewal.

    Args:
        name: The credentials' name in messages.
        fetch: Fetches them; raises a ``SendError`` that says what to do.
        clock: Seconds since the epoch.
        on_failure: Called each time that they could not be fetched.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Lease[T]],
        clock: Callable[[], float] = time.time,
        *,
        on_failure: Callable[[], object] = lambda: None,
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._on_failure = on_failure
        self._kept: Lease[T] | None = None
        self._renew_at = 0.0
        self._is_refused = False
        self._is_failing = False
        self._used = threading.local()

    def current(self) -> T:
        """Return credentials that are valid now, for a request of this thread.

        Raises:
            SendError: There are none.
            Retryable: They did not come in time.
        """
        self._used.credentials = credentials = self._current()
        return credentials

    def _current(self) -> T:
        kept, now = self._kept, self._clock()
        if kept and now < self._renew_at and not self._is_refused:
            return kept.credentials
        is_valid = kept is not None and now < kept.end
        give_up_after = _GIVE_UP_AFTER if is_valid else None
        limits = [seconds for seconds in (remaining(), give_up_after) if seconds is not None]
        try:
            lease = within_deadline(self, self._renew, give_up_after=give_up_after)
        except SendError as error:
            failure = error
        except TimeoutError:
            waited = f"within {min(limits):.3g} s" if limits else "in time"
            failure = Retryable(f"{self._name} did not come {waited}")
        else:
            self._is_failing = False
            return lease.credentials
        self._on_failure()
        if kept is None or not is_valid:
            raise failure
        self._is_refused = False
        self._renew_at = self._clock() + _PAUSE
        if not self._is_failing:
            self._is_failing = True
            _logger.warning("%s; keeping what is valid for another %.0f s", failure, kept.end - now)
        return kept.credentials

    def refused(self) -> None:
        """Make the next request fetch again: the receiver refuses what this thread used last.

        Credentials that have been replaced meanwhile are kept: concurrent requests are refused together.
        """
        kept = self._kept
        if kept and getattr(self._used, "credentials", None) is kept.credentials:
            self._is_refused = True

    def _renew(self) -> Lease[T]:
        with suppressed_telemetry(), deadline(LONGEST):
            lease = self._fetch()
        now = self._clock()
        life = lease.end - now
        self._renew_at = lease.end - min(_EARLY, life / _SHARE_OF_LIFE)
        self._is_refused = False
        self._kept = lease
        return lease
