"""One request out: sent again where that may help, taken apart where the receiver wants it, or given up."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple, Protocol

from opentelemetry.exporter.prometheus_remote_write.encoding.downgrade import downgraded
from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import HEADERS
from opentelemetry.exporter.prometheus_remote_write.encoding.parts import parts
from opentelemetry.exporter.prometheus_remote_write.encoding.request import PROTOCOL_1, PROTOCOL_2, Request
from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, SendError, Unsupported
from opentelemetry.exporter.prometheus_remote_write.negotiation import Negotiation, shortfall
from opentelemetry.exporter.prometheus_remote_write.retry import Backoff

_logger = logging.getLogger(__name__)

_TRIES_TO_FIND_BAD_SERIES = 100
_TRIES_WITHOUT_A_GOOD_ONE = 6
_KEPT_APART = 600.0  # seconds
_TOO_LARGE = (b"too large", b"exceeds limit", b"exceeds the")


class Answer(Protocol):
    """An answer that accepts a request."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""


class Receiver(Protocol):
    """Where requests go (see ``transport.pool.Transport``)."""

    def post(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """Send a request, or raise a :class:`SendError`."""

    def renew_secrets(self) -> None:
        """Read secrets from their files again before the next request."""


class Limits(NamedTuple):
    """Until when to do what, by the clock: an attempt ends at the deadline, and after the patience none begins."""

    deadline: float
    patience: float


class Sender:
    """Sends requests, from several threads at once.

    Args:
        receiver: Where they go.
        timeout: Of one attempt, in seconds.
        backoff: How long to wait between attempts.
        may_fall_back: Whether to go on with 1.0 where the receiver does not speak 2.0.
        compress: Makes a body of a message.
        clock: Seconds that only go up.
        pause: Waits some seconds, or less; returns True where there shall be no other attempt.
        random: A number from 0 to 1.

    Attributes:
        samples: How many samples and histograms were ``accepted`` or ``rejected`` so far.
        errors: Why requests were not accepted; whoever reads them takes them out.
        protocol: The newest version that the receiver may still speak.
        max_samples: The largest request, by samples, that the receiver may still take; None where it took all.
    """

    def __init__(  # noqa: PLR0913 - what it needs from outside
        self,
        receiver: Receiver,
        *,
        timeout: float,
        backoff: Backoff,
        may_fall_back: bool,
        compress: Callable[[bytes], bytes],
        clock: Callable[[], float],
        pause: Callable[[float], bool],
        random: Callable[[], float],
    ) -> None:
        self._receiver = receiver
        self._timeout = timeout
        self._backoff = backoff
        self._may_fall_back = may_fall_back
        self._compress = compress
        self._clock = clock
        self._pause = pause
        self._random = random
        self._negotiation = Negotiation()
        self._apart: dict[int, dict[bytes, float]] = {}
        self._lock = threading.Lock()
        self.samples: Counter[str] = Counter()
        self.errors: list[SendError] = []
        self.protocol = PROTOCOL_2
        self.max_samples: int | None = None

    @property
    def knows_protocol(self) -> bool:
        """Whether it is settled which version the receiver speaks."""
        return self.protocol == PROTOCOL_1 or self._negotiation.confirmed

    def send(self, request: Request, limits: Limits) -> list[Request]:
        """Send a request.

        Args:
            request: What to send.
            limits: Until when.

        Returns:
            What is to be sent again later; nothing if all was accepted or rejected.
        """
        if request.protocol == PROTOCOL_2 and self.protocol == PROTOCOL_1:
            request = downgraded(request, self._compress)
        if request.batch in self._apart and request.protocol == PROTOCOL_1:
            return self._send_apart(request, limits)
        try:
            self._exchange(request, limits)
        except Unsupported as error:
            return self._fall_back(request, error, limits)
        except Rejected as error:
            if _is_too_large(error):
                return self._send_halves(request, error, limits)
            if error.status == HTTPStatus.BAD_REQUEST and request.protocol == PROTOCOL_1:
                return self._send_good_ones(request, error, limits)
            self._reject(request, error)
        except SendError as error:
            self._note(error)
            return [request]
        return []

    def _exchange(self, request: Request, limits: Limits) -> None:
        """Send a request until it is answered for good."""
        attempt = 0
        renewed = False
        while True:
            remaining = limits.deadline - self._clock()
            if remaining <= 0:
                raise Retryable("the export's time was over before the request was sent")
            headers = HEADERS[request.protocol]
            if attempt:
                headers = {**headers, "Retry-Attempt": str(attempt)}
            try:
                answer = self._receiver.post(request.body, headers, min(self._timeout, remaining))
            except Retryable as error:
                attempt += 1
                wait = self._backoff.wait(attempt, error.retry_after, self._random)
                if self._clock() + wait >= min(limits) or self._pause(wait):
                    raise
            except Rejected as error:
                if self._negotiation.refused_protocol(request, error):
                    raise Unsupported(str(error)) from None
                if renewed or error.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                    raise
                renewed = True  # a secret may have been exchanged since it was read
                self._receiver.renew_secrets()
            else:
                self._accept(request, answer)
                return

    def _accept(self, request: Request, answer: Answer) -> None:
        if not self._negotiation.understood(request, answer.headers):
            raise Unsupported(f"the receiver answered {answer.status} without saying what of it was written")
        missing = 0
        if request.protocol == PROTOCOL_2 and any(lacking := shortfall(request, answer.headers)):
            missing = lacking.samples + lacking.histograms
            self._note(
                Rejected(f"the receiver answered {answer.status}, but did not write {lacking}", status=answer.status)
            )
        self._count(accepted=request.size - missing, rejected=missing)

    def _reject(self, request: Request, error: Rejected | Unsupported) -> None:
        rejected = request.size
        if request.protocol == PROTOCOL_2 and isinstance(error, Rejected):
            missing = shortfall(request, error.headers)  # 2.0 may have kept the good part
            rejected = missing.samples + missing.histograms
        self._count(accepted=request.size - rejected, rejected=rejected)
        self._note(error)

    def _fall_back(self, request: Request, error: Unsupported, limits: Limits) -> list[Request]:
        if not self._may_fall_back:
            self._reject(request, error)
            return []
        _logger.info("The receiver does not speak Remote Write 2.0 (%s): going on with 1.0", error)
        self.protocol = PROTOCOL_1
        return self.send(request, limits)

    def _send_halves(self, request: Request, error: Rejected, limits: Limits) -> list[Request]:
        content = parts(request)
        middle = len(content.series) // 2
        if not middle:
            self._reject(request, error)
            return []
        halves = [content.only(range(middle), self._compress)]
        halves.append(content.only(range(middle, len(content.series)), self._compress))
        largest = max(half.size for half in halves)
        self.max_samples = min(largest, self.max_samples or largest)
        return self._send_in_turn(halves, limits)

    def _send_in_turn(self, requests: Sequence[Request], limits: Limits) -> list[Request]:
        left: list[Request] = []
        for request in requests:
            left += [request] if left else self.send(request, limits)
        return left

    def _send_good_ones(self, request: Request, error: Rejected, limits: Limits) -> list[Request]:
        """Find, by halving, which series a receiver of 1.0 does not take: it drops a request for one bad series.

        Those are sent apart for a while, so that the next request is accepted at once. Where no half is good the whole
        is rejected, without trying every series.
        """
        content = parts(request)
        search = _Search(len(content.series))
        left: list[Request] = []
        while group := search.next():
            part = content.only(group, self._compress)
            try:
                self._exchange(part, limits)
            except Rejected as refusal:
                search.refused(group, is_bad=refusal.status == HTTPStatus.BAD_REQUEST)
            except SendError as failure:
                self._note(failure)
                left.append(part)
            else:
                search.accepted()
        bad = content.only(search.refused_positions(), self._compress)
        names = [content.names()[position] for position in search.bad]
        if names:
            until = self._clock() + _KEPT_APART
            keys = content.keys()
            self._apart.setdefault(request.batch, {}).update({keys[position]: until for position in search.bad})
            error = Rejected(f"{error} (for {_listed(names)})", status=error.status, body=error.body)
        if bad.size:
            self._reject(bad, error)
        return left

    def _send_apart(self, request: Request, limits: Limits) -> list[Request]:
        """Send those series in a request of their own that have spoilt others before."""
        content = parts(request)
        apart = self._apart.pop(request.batch)
        now = self._clock()
        keys = content.keys()
        bad = [position for position, key in enumerate(keys) if apart.get(key, 0.0) > now]
        if not bad:
            return self.send(request, limits)
        good = [position for position in range(len(keys)) if position not in set(bad)]
        left = self.send(content.only(good, self._compress), limits) if good else []
        request_of_bad = content.only(bad, self._compress)
        try:
            self._exchange(request_of_bad, limits)
        except Rejected as error:
            self._apart.setdefault(request.batch, {}).update(
                {keys[position]: apart[keys[position]] for position in bad}
            )
            self._reject(request_of_bad, error)
        except SendError as error:
            self._note(error)
            left.append(request_of_bad)
        return left

    def _note(self, error: SendError) -> None:
        with self._lock:
            self.errors.append(error)

    def _count(self, *, accepted: int, rejected: int) -> None:
        with self._lock:
            self.samples["accepted"] += accepted
            self.samples["rejected"] += rejected


class _Search:
    """Finds bad series by halving the groups that were refused."""

    def __init__(self, series: int) -> None:
        self._to_try: deque[Sequence[int]] = deque()
        self._given_up: list[int] = []
        self._tries = 0
        self._found_good = False
        self.bad: list[int] = []
        self.refused(range(series), is_bad=True)

    def next(self) -> Sequence[int]:
        """The next group to try; none when the search is over."""
        hopeless = self._tries >= _TRIES_WITHOUT_A_GOOD_ONE and not self._found_good
        if hopeless or self._tries >= _TRIES_TO_FIND_BAD_SERIES:
            self._given_up += [position for group in self._to_try for position in group]
            self._to_try.clear()
        if not self._to_try:
            return ()
        self._tries += 1
        return self._to_try.popleft()

    def accepted(self) -> None:
        self._found_good = True

    def refused(self, group: Sequence[int], *, is_bad: bool) -> None:
        middle = len(group) // 2
        if not is_bad:
            self._given_up += group
        elif middle:
            self._to_try += (group[:middle], group[middle:])
        else:
            self.bad += group

    def refused_positions(self) -> list[int]:
        return sorted([*self.bad, *self._given_up])


def _is_too_large(error: Rejected) -> bool:
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return True
    return error.status == HTTPStatus.BAD_REQUEST and any(words in error.body.lower() for words in _TOO_LARGE)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:200] for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown  # noqa: PLR2004 - as many as are shown
