"""Messages made by protobuf, and a sender for them that knows no more than HTTP."""

from __future__ import annotations

import snappy
import urllib3

from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.proto import write_v2_pb2 as v2

NOW = 1_750_000_000_000
"""A moment in milliseconds."""

HEADERS_1_0 = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": "tests/1.0",
}
HEADERS_2_0 = HEADERS_1_0 | {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}
UP = (("__name__", "up"), ("job", "shop"))


def sample(value=1.0, timestamp=NOW):
    return v1.Sample(value=value, timestamp=timestamp)


def series(labels=UP, samples=None, **parts):
    """A series of 1.0 with one sample, unless told otherwise."""
    samples = [sample()] if samples is None else samples
    return v1.TimeSeries(labels=[v1.Label(name=name, value=value) for name, value in labels], samples=samples, **parts)


def request(*all_series, **parts):
    """A message of 1.0."""
    return v1.WriteRequest(timeseries=all_series, **parts)


def exemplar(value=1.0, timestamp=NOW, labels=(("trace_id", "1"),)):
    return v1.Exemplar(
        labels=[v1.Label(name=name, value=value) for name, value in labels], value=value, timestamp=timestamp
    )


SYMBOLS = ("", "__name__", "up", "job", "shop", "Help.", "s", "trace_id", "1")


def series_2_0(labels_refs=(1, 2, 3, 4), samples=None, **parts):
    """A series of 2.0 over SYMBOLS with one sample, unless told otherwise."""
    samples = [v2.Sample(value=1.0, timestamp=NOW)] if samples is None else samples
    return v2.TimeSeries(labels_refs=labels_refs, samples=samples, **parts)


def request_2_0(*all_series, symbols=SYMBOLS):
    """A message of 2.0."""
    return v2.Request(symbols=symbols, timeseries=all_series)


def post(receiver, message, *, headers=None, pool=None, path=""):
    """Send a message, or a body as it is; None takes a header away."""
    default = HEADERS_2_0 if isinstance(message, v2.Request) else HEADERS_1_0
    chosen = {name: value for name, value in (default | (headers or {})).items() if value is not None}
    chosen.setdefault("User-Agent", urllib3.util.SKIP_HEADER)
    body = message if isinstance(message, bytes) else snappy.compress(message.SerializeToString())
    url = receiver.url.replace("/api/v1/write", path) if path else receiver.url
    if pool is None:
        with urllib3.PoolManager() as own:
            return own.request("POST", url, body=body, headers=chosen, retries=False, timeout=60)
    return pool.request("POST", url, body=body, headers=chosen, retries=False, timeout=60)
