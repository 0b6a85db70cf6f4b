"""Requests out: in order, within the export's deadline, and with one line in the log when something is wrong."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import HEADERS
from opentelemetry.exporter.prometheus_remote_write.encoding.request import PROTOCOL_2, Request
from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, SendError, Unsupported
from opentelemetry.exporter.prometheus_remote_write.negotiation import Negotiation, shortfall

_logger = logging.getLogger(__name__)


class Answer(Protocol):
    """An answer that accepts a request."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""


class Post(Protocol):
    """Sends one request (see ``transport.pool.Transport.post``)."""

    def __call__(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """Send, or raise a :class:`SendError`."""


class Delivery:
    """Delivers the requests of an export.

    Args:
        post: Sends one request.
        timeout: Of one request, in seconds.
        may_fall_back: Whether requests in another protocol can be had.
        clock: Seconds that only go up.

    Attributes:
        samples: How many samples and histograms were ``accepted``, ``rejected`` or ``unsent`` so far.
    """

    def __init__(
        self, post: Post, timeout: float, *, may_fall_back: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._post = post
        self._timeout = timeout
        self._may_fall_back = may_fall_back
        self._clock = clock
        self._negotiation = Negotiation()
        self.samples: Counter[str] = Counter()

    def deliver(self, requests: Iterable[Request], deadline: float) -> bool:
        """Send requests, one after another.

        A request that was rejected does not stop the others. Where nobody answers, or the time is over, the rest is not
        tried: samples are totals, so the next export tells what this one could not.

        Args:
            requests: In the order in which they are to arrive.
            deadline: When to give up, by the clock.

        Returns:
            Whether all were accepted.

        Raises:
            Unsupported: The receiver does not speak the protocol of the requests, has stored none of them, and there is
                another to fall back to.
        """
        waiting = iter(requests)
        failures: list[SendError] = []
        before = self.samples.copy()
        for request in waiting:
            try:
                self._send(request, deadline)
            except Unsupported as error:
                if self._may_fall_back:
                    raise
                failures.append(error)
                self.samples["rejected"] += _size(request)
            except Rejected as error:
                failures.append(error)
            except SendError as error:
                failures.append(error)
                self.samples["unsent"] += sum(map(_size, (request, *waiting)))
        if failures:
            lost = self.samples - before
            _logger.warning(
                "Metrics were not delivered (%d samples rejected, %d not sent): %s",
                lost["rejected"],
                lost["unsent"],
                failures[0],
            )
        return not failures

    def _send(self, request: Request, deadline: float) -> None:
        remaining = deadline - self._clock()
        if remaining <= 0:
            raise Retryable("the export's time was over before the request was sent")
        try:
            answer = self._post(request.body, HEADERS[request.protocol], min(self._timeout, remaining))
        except Rejected as error:
            if self._negotiation.refused_protocol(request, error):
                raise Unsupported(str(error)) from None
            self._count(request, error.headers, accepted=False)
            raise
        if not self._negotiation.understood(request, answer.headers):
            raise Unsupported(f"the receiver answered {answer.status} without saying what of it was written")
        self._count(request, answer.headers, accepted=True)
        if request.protocol == PROTOCOL_2 and any(missing := shortfall(request, answer.headers)):
            raise Rejected(f"the receiver answered {answer.status}, but did not write {missing}", status=answer.status)

    def _count(self, request: Request, headers: Mapping[str, str], *, accepted: bool) -> None:
        """In 2.0 the receiver says what it has written, also where it refuses the rest; in 1.0 it is all or nothing."""
        size = _size(request)
        rejected = 0 if accepted else size
        if request.protocol == PROTOCOL_2:
            missing = shortfall(request, headers)
            rejected = missing.samples + missing.histograms
        self.samples["rejected"] += rejected
        self.samples["accepted"] += size - rejected


def _size(request: Request) -> int:
    return request.samples + request.histograms
