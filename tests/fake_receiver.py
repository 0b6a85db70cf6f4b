"""A receiver without a network, and a clock that moves only when somebody waits: for tests of delivery."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property

from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
from opentelemetry.exporter.prometheus_remote_write.encoding.parts import encoded
from opentelemetry.exporter.prometheus_remote_write.errors import Cause, Rejected, Retryable
from opentelemetry.exporter.prometheus_remote_write.model.request import PROTOCOL_1, PROTOCOL_2, Request
from opentelemetry.exporter.prometheus_remote_write.model.transport import BaseTransport, Response
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2, write_v2_pb2
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from opentelemetry.exporter.prometheus_remote_write.system.time_slice import TimeSlice
from opentelemetry.exporter.prometheus_remote_write.transport.cause import cause_of

COMPRESS = compressor()


class Clock:
    """Seconds that go by only in waits."""

    def __init__(self):
        self.now = 1000.0
        self.waits = []
        self.interrupted = False

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
        return self.interrupted

    def wait(self, event, seconds):
        if not event.is_set():
            self.pause(seconds)
        return event.is_set()


@dataclass
class Post:
    """A request as it came: its series by their name's last part, with all values."""

    body: bytes
    headers: dict
    timeout: float
    at: float

    @property
    def protocol(self):
        return "2.0" if "proto=" in self.headers["Content-Type"] else "1.0"

    @cached_property
    def message(self):
        return decode(self.protocol, decompress(self.body, 1 << 30))

    @cached_property
    def names(self):
        return {dict(series.labels)["__name__"] for series in self.message.series}

    @cached_property
    def size(self):
        return sum(len(series.samples) + len(series.histograms) for series in self.message.series)


class Receiver(BaseTransport):
    """Answers as it is told; what it accepts is kept in the order in which it came.

    Attributes:
        answer: A function of the post that returns None to accept it, headers to accept it with, or an error to raise.
    """

    def __init__(self, clock, answer=lambda _post: None):
        self.clock = clock
        self.answer = answer
        self.posts = []
        self.accepted = []
        self._lock = threading.Lock()
        self._under_way = {}

    def post(self, body, headers, timeout):
        post = Post(body, dict(headers), timeout, self.clock())
        with self._lock:
            assert self._under_way.keys().isdisjoint(post.names), "two requests with the same series at once"
            self._under_way |= dict.fromkeys(post.names)
            self.posts.append(post)
        try:
            answer = self.answer(post)
            if isinstance(answer, Exception):
                raise answer
            with self._lock:
                self.accepted.append(post)
            return Response(204, written(post) if answer is None else answer)
        finally:
            with self._lock:
                for name in post.names:
                    del self._under_way[name]

    @property
    def values(self):
        """All values that were accepted, by series."""
        found = {}
        for post in self.accepted:
            for series in post.message.series:
                found.setdefault(dict(series.labels)["__name__"], []).extend(each.value for each in series.samples)
        return found


def written(post):
    if post.protocol == "1.0":
        return {}
    all_series = post.message.series
    return {
        f"X-Prometheus-Remote-Write-{kind}-Written": str(sum(len(getattr(each, kind.lower())) for each in all_series))
        for kind in ("Samples", "Histograms", "Exemplars")
    }


def in_turn(*answers, then=None):
    """Answers one after the other, and then the same for ever."""
    left = list(answers)
    return lambda _post: left.pop(0) if left else then


def refusing(bad, *, status=400, body=b"out of order sample"):
    """Refuses, as a receiver of 1.0, every request that holds one of the bad series."""
    return lambda post: refusal(status, body) if post.names & set(bad) else None


def at_most(size):
    """Refuses requests of more samples."""
    return lambda post: refusal(413) if post.size > size else None


def refusal(status, body=b"", **headers):
    cause = cause_of(status, body, headers)
    return Rejected(f"it answered {status}: {body.decode()}", status=status, headers=headers, cause=cause)


def failure(status=None, retry_after=None, body=b""):
    if status is None:
        return Retryable("it is away", cause=Cause.UNREACHABLE)
    return Retryable(f"it answered {status}", status=status, retry_after=retry_after, cause=cause_of(status, body, {}))


def request(names, value=1.0, *, protocol=PROTOCOL_1, batch=0, native=False, at=1_700_000_000_000):
    """A request with one sample of each series."""
    series = [_series(name, value, protocol, at, native=native) for name in names]
    symbols = []
    if protocol == PROTOCOL_2:
        symbols = ["", "__name__", *names]
        for number, each in enumerate(series):
            each.labels_refs[:] = [1, number + 2]
    return encoded(series, Request(b"", protocol, 0, 0, 0, batch), COMPRESS, TimeSlice(), symbols)


def _series(name, value, protocol, at, *, native):
    module = write_v1_pb2 if protocol == PROTOCOL_1 else write_v2_pb2
    series = module.TimeSeries()
    if native:
        series.histograms.add(count_int=0, sum=value, schema=0, timestamp=at)
    else:
        series.samples.add(value=value, timestamp=at)
    if protocol == PROTOCOL_1:
        series.labels.add(name="__name__", value=name)
    return series


def names(count):
    return [f"series_{number}" for number in range(count)]
