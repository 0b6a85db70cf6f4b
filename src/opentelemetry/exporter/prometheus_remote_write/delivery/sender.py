"""One request out: sent again where that may help, taken apart where the receiver wants it, or given up."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple, Protocol

from ..encoding.compression import Compress
from ..encoding.downgrade import downgraded
from ..encoding.encoder import HEADERS
from ..encoding.parts import Parts, parts
from ..errors import Rejected, Retryable, SendError, Unsupported
from ..model.remote_write import Labels
from ..model.request import PROTOCOL_1, PROTOCOL_2, Request
from ..own_logger import OwnLogger
from .bad_series import Quarantine, Search
from .negotiation import Negotiation, shortfall
from .retry import Backoff

_logger = OwnLogger(__name__)

_REFUSALS_TO_FIND_BAD_SERIES = 100
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
    """Until when to do what, by the clock: an attempt ends at the deadline, and after the patience none is repeated."""

    deadline: float
    patience: float


class Sender:
    """Sends requests, from several threads at once.

    Args:
        receiver: Where they go.
        timeout: Of one attempt, in seconds.
        backoff: How long to wait between attempts.
        may_fall_back: Whether to go on with 1.0 where the receiver does not speak 2.0.
        compress: Makes the body of a message.
        clock: Seconds that only go up.
        pause: Waits some seconds, or less; returns True where there shall be no other attempt.
        random: A number from 0 to 1.

    Attributes:
        samples: How many samples and histograms were ``accepted`` or ``rejected`` so far, as they were sent.
        errors: Why requests were not accepted; whoever reads them takes them out.
        bad_series: The series that were found to be refused by themselves; whoever reads them takes them out.
        protocol: The newest version that the receiver may still speak.
        max_samples: The largest request, by samples, that the receiver has shown to take; None where it took all.
        latest: When every attempt ends, whatever its limits, by the clock.
    """

    def __init__(  # noqa: PLR0913 - what it needs from outside
        self,
        receiver: Receiver,
        *,
        timeout: float,
        backoff: Backoff,
        may_fall_back: bool,
        compress: Compress,
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
        self._quarantine = Quarantine(clock)
        self._lock = threading.Lock()
        self.samples: Counter[str] = Counter()
        self.errors: list[SendError] = []
        self.bad_series: list[Labels] = []
        self.protocol = PROTOCOL_2
        self.max_samples: int | None = None
        self.latest = math.inf

    def tries_protocol(self, request: Request) -> bool:
        """Returns whether the answer to a request will show which version the receiver speaks."""
        is_open = self._may_fall_back and self.protocol == PROTOCOL_2 and not self._negotiation.confirmed
        return is_open and request.protocol == PROTOCOL_2

    def send(self, request: Request, limits: Limits) -> list[Request]:
        """Send a request.

        Args:
            request: What to send.
            limits: Until when.

        Returns:
            What is to be sent again later; nothing if all was accepted or rejected.
        """
        try:
            return self._send(request, limits)
        except Exception as error:  # noqa: BLE001 - a request that is our mistake must neither raise nor come again
            self._count(fault=request.size)
            self._note(
                SendError(f"{request.size} samples were dropped by a fault of the exporter ({type(error).__name__})")
            )
            return []

    def _send(self, request: Request, limits: Limits) -> list[Request]:
        if request.protocol == PROTOCOL_2 and self.protocol == PROTOCOL_1:
            request = downgraded(request, self._compress)
        left: list[Request] = []
        for part, is_bad in self._divided(request):
            left += [part] if left else self._send_part(part, limits, is_bad=is_bad)
        return left

    def _divided(self, request: Request) -> list[tuple[Request, bool]]:
        """A request in parts that the receiver takes, as far as is known, and one of the series that it does not."""
        held = self._quarantine.held(request.batch)
        is_too_large = self.max_samples is not None and request.size > self.max_samples
        if not held and not is_too_large:
            return [(request, False)]
        content = parts(request)
        is_bad = [labels in held for labels in content.labels()]
        good = [position for position, bad in enumerate(is_bad) if not bad]
        bad = [position for position, bad in enumerate(is_bad) if bad]
        pieces = -(-request.size // self.max_samples) if self.max_samples and is_too_large else 1
        length = -(-len(good) // pieces) or 1
        groups = [(good[start : start + length], False) for start in range(0, len(good), length)]
        return [(content.only(group, self._compress), bad) for group, bad in [*groups, (bad, True)] if group]

    def _send_part(self, request: Request, limits: Limits, *, is_bad: bool) -> list[Request]:
        try:
            self._exchange(request, limits)
        except Unsupported as error:
            return self._fall_back(request, error, limits)
        except Rejected as error:
            if not is_bad and _is_divisible(request, error) and not self._quarantine.is_hopeless(request.batch):
                return self._take_apart(request, error, limits)
            self._reject(request, error)
        except SendError as error:
            self._note(error)
            return [request]
        else:
            if is_bad:
                self._quarantine.release(request.batch, parts(request).labels())
        return []

    def _exchange(self, request: Request, limits: Limits) -> None:
        """Send a request until it is answered for good."""
        attempt = 0
        renewed = False
        while True:
            deadline = min(limits.deadline, self.latest)
            remaining = deadline - self._clock()
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
                if self._clock() + wait >= min(deadline, limits.patience) or self._pause(wait):
                    raise
            except Rejected as error:
                if self._negotiation.refused_protocol(request, error):
                    raise Unsupported(str(error)) from None
                if renewed or error.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                    raise
                renewed = True  # a secret may have been exchanged since it was read
                attempt += 1
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
        with self._lock:
            is_news, self.protocol = self.protocol != PROTOCOL_1, PROTOCOL_1
        if is_news:
            _logger.info("The receiver does not speak Remote Write 2.0 (%s): going on with 1.0", error)
        return self._send(request, limits)

    def _take_apart(self, request: Request, error: Rejected, limits: Limits) -> list[Request]:
        """Deliver what the receiver takes of a request that it has refused as a whole.

        It was too large, so its halves may not be; or it holds bad series, for which a receiver of 1.0 drops the good
        ones, too. Those that are refused by themselves are kept apart for a while, so that the next request is accepted
        at once.
        """
        content = parts(request)
        too_large = _is_too_large(request, error)
        search = Search(len(content.series), len(content.series) if too_large else _REFUSALS_TO_FIND_BAD_SERIES)
        largest = 0
        while group := search.next():
            part = content.only(group, self._compress)
            try:
                self._exchange(part, limits)
            except Rejected as refusal:
                if _is_divisible(part, refusal):
                    search.refused(group)
                else:
                    self._reject(part, refusal)
            except SendError as failure:
                rest = content.only([*group, *search.untried()], self._compress)
                self._reject_found(search, content, error)
                if isinstance(failure, Unsupported):
                    return self._fall_back(rest, failure, limits)
                self._note(failure)
                return [rest]
            else:
                search.accepted()
                largest = max(largest, part.size)
        self._reject_found(search, content, error)
        if too_large and largest and not search.alone:
            self.max_samples = min(largest, self.max_samples or largest)
        return []

    def _reject_found(self, search: Search, content: Parts, error: Rejected) -> None:
        refused = [*search.alone, *search.given_up]
        if search.is_hopeless:
            self._quarantine.give_up(content.request.batch)
        elif search.alone:
            labels = content.labels()
            bad = [labels[position] for position in search.alone]
            self._quarantine.add(content.request.batch, bad)
            with self._lock:
                self.bad_series += bad
        if refused or not content.series:
            self._reject(content.only(refused, self._compress), error)

    def _note(self, error: SendError) -> None:
        with self._lock:
            self.errors.append(error)

    def _count(self, **numbers: int) -> None:
        with self._lock:
            self.samples.update(numbers)


def _is_divisible(request: Request, error: Rejected) -> bool:
    """Whether parts of a request may be accepted: it was refused for its size, or as a whole for some of its series."""
    is_bad = request.protocol == PROTOCOL_1 and error.status == HTTPStatus.BAD_REQUEST
    return is_bad or _is_too_large(request, error)


def _is_too_large(request: Request, error: Rejected) -> bool:
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return True
    if error.status != HTTPStatus.BAD_REQUEST or not any(words in error.body.lower() for words in _TOO_LARGE):
        return False
    # What speaks of a label that is too long has read the request, and in 2.0 counts what it has kept.
    missing = shortfall(request, error.headers)
    return request.protocol == PROTOCOL_1 or missing.samples + missing.histograms == request.size
