"""Credentials that end: kept until shortly before, then renewed by one thread at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...errors import Retryable, SendError
from ...messages.own_logger import OwnLogger
from ..deadline import deadline, remaining, within_deadline
from ..silence import silence

_logger = OwnLogger(__name__)

T = TypeVar("T")

_EARLY = 300.0  # seconds before the end; of what lives shortly a fifth of its life
_SHARE_OF_LIFE = 5
_GIVE_UP_AFTER = 5.0  # seconds for a renewal while what is there is still valid
_PAUSE = 30.0  # seconds after a failed renewal, while what is there is still valid
LONGEST = 30.0
"""Seconds for one renewal, which may outlast the request that has begun it."""


@dataclass(frozen=True)  # Python 3.10 has no generic named tuples
class Lease(Generic[T]):
    """Credentials for some time.

    Args:
        credentials: What they are.
        end: Seconds since the epoch; infinity where they do not end.
    """

    credentials: T
    end: float


class Renewal(Generic[T]):
    """Credentials that are fetched at the first request, and anew before they end; for several threads at once.

    Fetching may hang; it is done in a thread of its own, one at a time, and who waits for it waits no longer than his
    request may take. What is kept is used while it is valid, whatever becomes of its renewal.

    Args:
        name: What is fetched, for messages.
        fetch: Fetches; raises a ``SendError`` that says what to do.
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
        left = remaining()
        try:
            lease = within_deadline(self, self._renew, give_up_after=_GIVE_UP_AFTER if is_valid else None)
        except SendError as error:
            failure = error
        except TimeoutError:
            waited = "in time" if left is None else f"within {min(left, _GIVE_UP_AFTER) if is_valid else left:.3g} s"
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
        """Have the next request fetch anew: the receiver does not take what this thread has used last.

        What has taken its place meanwhile is left alone: requests that are under way together are refused together.
        """
        kept = self._kept
        if kept and getattr(self._used, "credentials", None) is kept.credentials:
            self._is_refused = True

    def _renew(self) -> Lease[T]:
        with silence(), deadline(LONGEST):
            lease = self._fetch()
        now = self._clock()
        life = lease.end - now
        self._renew_at = lease.end - min(_EARLY, life / _SHARE_OF_LIFE)
        self._is_refused = False
        self._kept = lease
        return lease
