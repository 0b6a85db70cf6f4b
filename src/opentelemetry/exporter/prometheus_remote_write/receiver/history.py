"""The requests so far: the lists that tests read, and the order of each series' samples across requests."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from .notation import series_text
from .received import Received, RejectedRequest, Sample, Series
from .refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model.remote_write import Labels
    from .answers import ScriptedAnswer
    from .received import Message, ReceivedRequest

_REMEMBERED_BODIES = 1000


class History:
    """All requests, safe to use from several threads.

    Args:
        keep: How many requests of each kind to keep, the newest ones; None keeps all.
        listener: Called with each request once it is accepted or rejected, one call at a time, on its thread.
        remembered_series: For how many series, the most recent ones, to remember the newest timestamp.
    """

    def __init__(
        self, keep: int | None, listener: Callable[[Received | RejectedRequest], None] | None, remembered_series: int
    ) -> None:
        self._remembered_series = remembered_series
        self._changed = threading.Condition()
        self._received: deque[Received] = deque(maxlen=keep)
        self._rejected: deque[RejectedRequest] = deque(maxlen=keep)
        self._listener = listener
        self._newest: dict[int, int] = {}  # by the hash of the labels, which itself takes half a kilobyte
        self._bodies: deque[bytes] = deque(maxlen=_REMEMBERED_BODIES)

    @property
    def received(self) -> list[Received]:
        """The requests that were accepted, oldest first."""
        with self._changed:
            return list(self._received)

    @property
    def rejected(self) -> list[RejectedRequest]:
        """The requests that were rejected, oldest first: for a fault, or by a scripted answer."""
        with self._changed:
            return list(self._rejected)

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait until a condition holds; it is checked after each request.

        Args:
            condition: Checks what came in.
            timeout: Seconds.

        Raises:
            TimeoutError: The condition does not hold in time; the text says what came in.
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                reasons = "".join(f"; rejected: {each.status} {each.reason}" for each in self._rejected)
                raise TimeoutError(f"after {timeout} s there are {len(self._received)} requests{reasons}")

    def store(
        self, request: ReceivedRequest, message: Message, script: Callable[[ReceivedRequest], ScriptedAnswer | None]
    ) -> ScriptedAnswer | None:
        """Accept a valid message, unless the script says otherwise; return the script's answer.

        Args:
            request: The request as received.
            message: Its content.
            script: Called for the answer once the order proved correct.

        Raises:
            Refusal: A sample is not newer than what the series has. The newest sample may be repeated by a request with
                the very same body: a sender whose request had no answer sends it again.
        """
        body = hashlib.sha256(request.body).digest()
        with self._changed:
            repeated = body in self._bodies
            newest = {hash(series.labels): self._in_order(series, repeated=repeated) for series in message.series}
            answer = script(request)
            if answer is not None and not answer.stores:
                self.reject(request, answer.status, "a scripted answer")
                return answer
            self._remember(newest)
            self._bodies.append(body)
            received = Received(
                path=request.path,
                headers=request.headers,
                body=request.body,
                client_port=request.client_port,
                protocol=message.protocol,
                series=message.series,
                families=message.families,
                repeated=repeated,
                began=request.began,
                seconds=time.monotonic() - request.began,
            )
            self._received.append(received)
            self._tell(received)
            return answer

    def reject(self, request: ReceivedRequest, status: int, reason: str) -> None:
        """Note a request that was rejected.

        Args:
            request: The request as received.
            status: The status of the answer.
            reason: One line why.
        """
        rejected = RejectedRequest(request.path, request.headers, request.body, request.client_port, status, reason)
        with self._changed:
            self._rejected.append(rejected)
            self._tell(rejected)

    def series(self, name: str, labels: dict[str, str]) -> list[Series]:
        """Return every series of a name that has the labels, each with all that came for it, oldest first."""
        found: dict[Labels, list[Series]] = {}
        wanted = {("__name__", name), *labels.items()}
        for received in self.received:
            for series in () if received.repeated else received.series:
                if wanted.issubset(series.labels):
                    found.setdefault(series.labels, []).append(series)
        return [
            Series(
                each,
                tuple(sample for part in parts for sample in part.samples),
                tuple(histogram for part in parts for histogram in part.histograms),
                tuple(exemplar for part in parts for exemplar in part.exemplars),
                parts[-1].metadata,
            )
            for each, parts in found.items()
        ]

    def samples(self, name: str, labels: dict[str, str]) -> list[Sample]:
        """Return all samples of the one series of a name that has the labels.

        Raises:
            LookupError: There is none, or more than one.
        """
        match self.series(name, labels):
            case [only]:
                return list(only.samples)
            case found:
                known = found or [each for received in self.received for each in received.series]
                texts = "\n  ".join(sorted({series_text(each.labels) for each in known})) or "nothing"
                raise LookupError(f"{len(found)} series match {name} {labels}; there is:\n  {texts}")

    def _remember(self, newest: dict[int, int]) -> None:
        """Remember the newest timestamps of the most recent series."""
        for series, timestamp in newest.items():
            self._newest.pop(series, None)
            self._newest[series] = timestamp
        for series in list(islice(self._newest, max(len(self._newest) - self._remembered_series, 0))):
            del self._newest[series]

    def _in_order(self, series: Series, *, repeated: bool) -> int:
        """Return the series' newest timestamp, this message's included."""
        newest = self._newest.get(hash(series.labels), 0)
        timestamps = [sample.timestamp for sample in series.samples]
        timestamps += [histogram.timestamp for histogram in series.histograms]
        for timestamp in timestamps:
            if timestamp < newest:
                raise Refusal(f"out of order: {timestamp} comes after {newest}", series=series.labels)
            if timestamp == newest and not repeated:
                raise Refusal(f"duplicate: timestamp {newest} was received before", series=series.labels)
        return max(timestamps, default=newest)

    def _tell(self, request: Received | RejectedRequest) -> None:
        if self._listener:
            self._listener(request)
        self._changed.notify_all()
