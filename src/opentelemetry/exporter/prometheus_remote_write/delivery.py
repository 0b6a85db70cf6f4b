"""Requests out: in order, within the export's deadline, and with one line in the log when something is wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from opentelemetry.exporter.prometheus_remote_write.encoding.request import Request
from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable, SendError

_logger = logging.getLogger(__name__)


class Post(Protocol):
    """Sends one request (see ``transport.pool.Transport.post``)."""

    def __call__(self, body: bytes, headers: Mapping[str, str], timeout: float) -> object:
        """Send, or raise a :class:`SendError`."""


class Delivery:
    """Delivers the requests of an export.

    Args:
        post: Sends one request.
        timeout: Of one request, in seconds.
        clock: Seconds that only go up.
    """

    def __init__(self, post: Post, timeout: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._post = post
        self._timeout = timeout
        self._clock = clock

    def deliver(self, requests: Iterable[Request], deadline: float) -> bool:
        """Send requests, one after another.

        A request that was rejected does not stop the others. Where nobody answers, or the time is over, the rest is not
        tried: samples are totals, so the next export tells what this one could not.

        Args:
            requests: In the order in which they are to arrive.
            deadline: When to give up, by the clock.

        Returns:
            Whether all were accepted.
        """
        waiting = iter(requests)
        failures: list[SendError] = []
        unsent = 0
        for request in waiting:
            try:
                self._send(request, deadline)
            except Rejected as error:
                failures.append(error)
                unsent += 1
            except SendError as error:
                failures.append(error)
                unsent += 1 + sum(1 for _ in waiting)
        if failures:
            _logger.warning("Metrics were not delivered (%d requests): %s", unsent, failures[0])
        return not failures

    def _send(self, request: Request, deadline: float) -> None:
        remaining = deadline - self._clock()
        if remaining <= 0:
            raise Retryable("the export's time was over before the request was sent")
        self._post(request.body, request.headers, min(self._timeout, remaining))
