"""Accepted requests, as the receiver hands them to its displays."""

from __future__ import annotations

from email.message import Message

from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram, Received, Rejected, Sample, Series
from tests.receiver.messages import NOW


def push(*all_series, protocol="1.0", repeated=False):
    return Received("/", Message(), b"body", 1, protocol, all_series, {}, repeated)


def rejection(reason):
    return Rejected("/", Message(), b"body", 1, 400, reason)


def point(name, value, **labels):
    """A series with one value, which may be a histogram."""
    pairs = tuple(sorted({"__name__": name, **labels}.items()))
    if isinstance(value, Histogram):
        return Series(pairs, histograms=(value,))
    return Series(pairs, samples=(Sample(value, NOW),))
