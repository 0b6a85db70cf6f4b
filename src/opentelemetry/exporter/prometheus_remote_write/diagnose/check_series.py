"""The requests of a check: an empty one, and those with the one series `otel_prw_check`.

They are built with protobuf, not by the encoders, because they hold what no export holds: a float, an exemplar and a
native histogram of one series.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from ..encoding.compression import Compress
from ..model.remote_write import METRIC_NAME
from ..model.request import PROTOCOL_2
from ..model.stale_marker import STALE
from ..proto import write_v1_pb2 as v1
from ..proto import write_v2_pb2 as v2

NAME = "otel_prw_check"
"""The name of the series."""

_HELP = "Sent by otel-prw check, and ended at once."
_EXEMPLAR = ("trace_id", "0af7651916cd43dd8448eb211c80319c")


class Content(Enum):
    """What a request of a check holds."""

    NOTHING = "nothing"
    SAMPLE = "a sample"
    EXEMPLAR = "a sample with an exemplar"
    NATIVE_HISTOGRAM = "a native histogram"
    END = "a stale marker"


def body(protocol: str, content: Content, labels: Mapping[str, str], milliseconds: int, compress: Compress) -> bytes:
    """Return the body of a request.

    Args:
        protocol: The version of Remote Write.
        content: What it holds.
        labels: Of the series, without its name.
        milliseconds: Since the epoch.
        compress: Makes the body of a message.
    """
    pairs = sorted({**labels, METRIC_NAME: NAME}.items())
    build = _request_2 if protocol == PROTOCOL_2 else _request_1
    message = build(content, pairs, milliseconds)
    return compress([message.SerializeToString()])


def _request_1(content: Content, labels: Iterable[tuple[str, str]], at: int) -> v1.WriteRequest:
    request = v1.WriteRequest()
    if content is Content.NOTHING:
        return request
    series = request.timeseries.add(labels=[v1.Label(name=name, value=text) for name, text in labels])
    if content is Content.NATIVE_HISTOGRAM:
        series.histograms.append(v1.Histogram(**_histogram(at), reset_hint=v1.Histogram.ResetHint.GAUGE))
        return request
    series.samples.add(value=STALE if content is Content.END else 1.0, timestamp=at)
    if content is Content.EXEMPLAR:
        name, text = _EXEMPLAR
        series.exemplars.add(labels=[v1.Label(name=name, value=text)], value=1.0, timestamp=at)
    return request


def _request_2(content: Content, labels: Iterable[tuple[str, str]], at: int) -> v2.Request:
    symbols = {"": 0}

    def refs(texts: Iterable[str]) -> list[int]:
        return [symbols.setdefault(text, len(symbols)) for text in texts]

    series = []
    if content is not Content.NOTHING:
        metadata = v2.Metadata(type=v2.Metadata.MetricType.METRIC_TYPE_GAUGE, help_ref=refs([_HELP])[0])
        one = v2.TimeSeries(labels_refs=refs(text for pair in labels for text in pair), metadata=metadata)
        if content is Content.NATIVE_HISTOGRAM:
            one.histograms.append(v2.Histogram(**_histogram(at), reset_hint=v2.Histogram.ResetHint.RESET_HINT_GAUGE))
        else:
            one.samples.add(value=STALE if content is Content.END else 1.0, timestamp=at)
        if content is Content.EXEMPLAR:
            one.exemplars.add(labels_refs=refs(_EXEMPLAR), value=1.0, timestamp=at)
        series.append(one)
    return v2.Request(symbols=list(symbols), timeseries=series)


def _histogram(at: int) -> dict[str, Any]:
    """One observation of 1, in a gauge histogram."""
    return {
        "count_int": 1,
        "sum": 1.0,
        "schema": 0,
        "zero_threshold": math.ldexp(1.0, -128),
        "zero_count_int": 0,
        "positive_spans": [{"offset": 0, "length": 1}],
        "positive_deltas": [1],
        "timestamp": at,
    }
