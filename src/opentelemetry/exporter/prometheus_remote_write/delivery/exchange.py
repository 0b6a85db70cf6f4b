"""One request out and its answer back: retried with growing waits until the answer is final or time is up."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping

from ..encoding.encoder import HEADERS
from ..errors import Cause, Retryable, SendError
from ..model.request import Request
from ..model.transport import BaseTransport, Response
from .retry import Backoff
from .spacing import Spacing
from .traffic import Traffic
from .window import Window

_REFUSALS_OF_A_LONE_REQUEST = 3
_REFUSALS_OF_WHAT_HAS_PASSED = 8  # also for a lone request, if as many samples passed recently
_TOO_LITTLE = 0.005  # seconds; no receiver answers faster


class OverRateLimit(SendError):
    """A request was refused with 429 again and again although it was alone: it will never pass as a whole."""


class Exchange:
    """Sends requests, from several threads at once.

    Args:
        transport: Carries them.
        timeout: Of one attempt, in seconds.
        backoff: How long to wait between attempts.
        clock: Monotonic seconds.
        pause: Waits some seconds, or less; returns True if no other attempt is wanted.
        random: A number from 0 to 1.
        traffic: Where requests are counted.
        on_failure: Told of each failure after which it is tried again, and for how many seconds.

    Attributes:
        latest: When every attempt ends, whatever its window, by the clock.
    """

    def __init__(  # noqa: PLR0913 - what it needs from outside
        self,
        transport: BaseTransport,
        *,
        timeout: float,
        backoff: Backoff,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        random: Callable[[], float],
        traffic: Traffic | None = None,
        on_failure: Callable[[Retryable, float], None] = lambda _error, _seconds: None,
    ) -> None:
        self._transport = transport
        self._timeout = timeout
        self._backoff = backoff
        self._clock = clock
        self._pause = pause
        self._random = random
        self._traffic = traffic or Traffic()
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._spacing = Spacing(clock)
        self._under_way: set[object] = set()
        self._lone_refusals: dict[int, list[Retryable]] = {}  # by batch: 429 although nothing else was in flight
        self.latest = math.inf

    def send(self, request: Request, window: Window, *, may_be_smaller: bool = False) -> Response:
        """Send a request until its answer is final.

        Args:
            request: What to send.
            window: Until when.
            may_be_smaller: Whether to give up early if the request alone exceeds the receiver's rate limit.

        Raises:
            OverRateLimit: It has to be smaller.
            SendError: It was not accepted.
        """
        self._keep_distance(request, window)
        attempt = 0
        refused_at: float | None = None
        failure: Retryable | None = None
        while True:
            if may_be_smaller:
                self._check_rate_limit(request)
            remaining = min(window.deadline, self.latest) - self._clock()
            if remaining < _TOO_LITTLE:
                raise failure or Retryable("export deadline exceeded before the request was sent", cause=Cause.NOT_SENT)
            headers = HEADERS[request.protocol]
            if attempt:
                headers = {**headers, "Retry-Attempt": str(attempt)}
            try:
                response = self._counted(request, headers, min(self._timeout, remaining), is_retry=bool(attempt))
            except Retryable as error:
                failure = self._more_telling(failure, self._explained(error, remaining), remaining)
                attempt += 1
                if error.cause is Cause.RATE_LIMIT and refused_at is None:
                    refused_at = self._clock()
                wait = self._backoff.wait(attempt, error.retry_after, self._random)
                left = self._latest(window) - self._clock()
                if wait >= left:
                    raise failure from None
                self._on_failure(failure, left)
                if self._pause(wait):
                    raise failure from None
            else:
                self._spacing.accepted(request.size, refused_at=refused_at)
                return response

    def _explained(self, error: Retryable, remaining: float) -> Retryable:
        """Return the error; mention it if the request had little time because the export had little left."""
        if self._had_little_time(error, remaining):
            return Retryable(f"{error}, all that was left before the export's deadline", cause=error.cause)
        return error

    def _more_telling(self, before: Retryable | None, error: Retryable, remaining: float) -> Retryable:
        """Return the error, or the one before it if only the export's deadline ended the request."""
        return before if before and self._had_little_time(error, remaining) else error

    def _had_little_time(self, error: Retryable, remaining: float) -> bool:
        return error.cause is Cause.TIMEOUT and remaining < self._timeout / 2

    def _latest(self, window: Window) -> float:
        """Return the latest time for another attempt to begin."""
        if window.probes_since is not None and self._spacing.last_accepted < window.probes_since:
            return -math.inf
        return min(window.deadline - _TOO_LITTLE, window.retry_until, self.latest - _TOO_LITTLE)

    def _keep_distance(self, request: Request, window: Window) -> None:
        """Wait as long as a rate-limiting receiver needs after the previous request; not at exit."""
        if not window.is_last and (wait := self._spacing.wait(request.size, self._latest(window))):
            self._pause(wait)

    def _counted(self, request: Request, headers: Mapping[str, str], timeout: float, *, is_retry: bool) -> Response:
        result = "interrupted"
        try:
            response = self._post(request, headers, timeout)
            result = str(response.status)
        except SendError as error:
            result = str(getattr(error, "status", None) or error.cause.value)
            raise
        else:
            return response
        finally:
            self._traffic.count(request, result, is_retry=is_retry)

    def _post(self, request: Request, headers: Mapping[str, str], timeout: float) -> Response:
        token = object()
        try:
            self._under_way.add(token)
            is_alone = len(self._under_way) == 1
            response = self._transport.post(request.body, headers, timeout)
        except Retryable as error:
            if error.cause is Cause.RATE_LIMIT and is_alone and len(self._under_way) == 1:
                with self._lock:
                    self._lone_refusals.setdefault(request.batch, []).append(error)
            raise
        else:
            if self._lone_refusals:
                with self._lock:
                    self._lone_refusals.pop(request.batch, None)
            return response
        finally:
            self._under_way.discard(token)

    def _check_rate_limit(self, request: Request) -> None:
        has_passed = self._spacing.has_passed(request.size)
        most = _REFUSALS_OF_WHAT_HAS_PASSED if has_passed else _REFUSALS_OF_A_LONE_REQUEST
        with self._lock:
            if len(self._lone_refusals.get(request.batch, ())) < most:
                return
            *_, error = self._lone_refusals.pop(request.batch)
        raise OverRateLimit(str(error), cause=error.cause)
