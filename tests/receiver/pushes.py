"""Requests, as the receiver hands them to its listener."""

from __future__ import annotations

from email.message import Message

from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram, Received, RejectedRequest, Sample, Series
from tests.receiver.messages import NOW


def push(*all_series, protocol="1.0", repeated=False, families=None):
    return Received("/", Message(), b"body", 1, protocol, all_series, families or {}, repeated)


def rejection(reason):
    return RejectedRequest("/", Message(), b"body", 1, 400, reason)


def point(name, value, at=NOW, metadata=None, exemplars=(), **labels):
    """A series with one value, which may be a histogram."""
    pairs = tuple(sorted({"__name__": name, **labels}.items()))
    if isinstance(value, Histogram):
        return Series(pairs, histograms=(value,), metadata=metadata, exemplars=exemplars)
    return Series(pairs, samples=(Sample(value, at),), metadata=metadata, exemplars=exemplars)


def classic(name, counts, at=NOW, **labels):
    """The series of a classic histogram with the bounds 1, 2, 5 and +Inf; counts are cumulative."""
    bounds = ("1.0", "2.0", "5.0", "+Inf")
    return [
        *(point(f"{name}_bucket", value, at, le=bound, **labels) for bound, value in zip(bounds, counts, strict=True)),
        point(f"{name}_count", counts[-1], at, **labels),
        point(f"{name}_sum", 2.0 * counts[-1], at, **labels),
    ]


class Clock:
    """Seconds that go by only when told."""

    def __init__(self):
        self.now = NOW / 1000

    def __call__(self):
        return self.now


def exports(store, clock, *exports, interval=5):
    """Push exports one after the other; each is a function of its time in milliseconds that returns series."""
    for number, export in enumerate(exports):
        if number:
            clock.now += interval
        store(push(*export(round(clock.now * 1000))))
