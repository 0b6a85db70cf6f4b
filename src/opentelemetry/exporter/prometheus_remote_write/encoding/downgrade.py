"""Converting a request of 2.0 to 1.0, if it was encoded before the receiver refused 2.0."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

from .. import proto
from ..model.bucket_bound import le_text
from ..model.remote_write import BUCKET_BOUND, CUSTOM_BUCKETS, METRIC_NAME
from ..model.request import PROTOCOL_1, Request
from ..model.stale_marker import is_stale
from .compression import Compress
from .parts import Parts, encoded, labels, parts


def downgraded(request: Request, compress: Compress, *, gives_way: bool = False) -> Request:
    """Return the same samples, with the same times, as a request of 1.0.

    Start times and metadata are lost. A histogram with custom buckets becomes a classic one.

    Args:
        request: Of protocol 2.0.
        compress: Compresses a message into a body.
        gives_way: Whether it yields the GIL between series. Not if somebody waits for its end.
    """
    content = parts(request, gives_way=gives_way)
    messages = chain.from_iterable(_downgraded(series, content) for series in content.messages())
    return encoded(messages, request._replace(protocol=PROTOCOL_1), compress, content.time_slice)


def _downgraded(series: Any, content: Parts) -> Iterator[proto.write_v1_pb2.TimeSeries]:
    its_labels = dict(content.labels_of(series))
    exemplars = [
        proto.write_v1_pb2.Exemplar(
            labels=_labels(dict(labels(exemplar.labels_refs, content.symbols))),
            value=exemplar.value,
            timestamp=exemplar.timestamp,
        )
        for exemplar in series.exemplars
    ]
    if any(histogram.schema == CUSTOM_BUCKETS for histogram in series.histograms):
        yield from _classic(its_labels, series.histograms, exemplars)
        return
    yield proto.write_v1_pb2.TimeSeries(
        labels=_labels(its_labels),
        samples=[proto.write_v1_pb2.Sample(value=s.value, timestamp=s.timestamp) for s in series.samples],
        histograms=[_without_start(histogram) for histogram in series.histograms],
        exemplars=exemplars,
    )


def _labels(texts: dict[str, str]) -> list[proto.write_v1_pb2.Label]:
    return [proto.write_v1_pb2.Label(name=name, value=text) for name, text in sorted(texts.items())]


def _without_start(histogram: Any) -> proto.write_v1_pb2.Histogram:
    # Both versions number the fields alike; 1.0 has none for the start.
    histogram.ClearField("start_timestamp")
    return proto.write_v1_pb2.Histogram.FromString(histogram.SerializeToString())


def _classic(
    its_labels: dict[str, str], histograms: Sequence[Any], exemplars: Sequence[proto.write_v1_pb2.Exemplar]
) -> Iterator[proto.write_v1_pb2.TimeSeries]:
    """Yield the series of a classic histogram: buckets with the exemplars that fell into them, sum and count."""
    name = its_labels[METRIC_NAME]
    shared = {label: text for label, text in its_labels.items() if label != BUCKET_BOUND}  # as in translation
    bounds = [*histograms[0].custom_values, float("inf")]
    cumulative = [list(accumulate(_counts(histogram, len(bounds)))) for histogram in histograms]
    columns: list[tuple[dict[str, str], list[float]]] = [
        ({METRIC_NAME: f"{name}_bucket", BUCKET_BOUND: le_text(bound)}, [counts[place] for counts in cumulative])
        for place, bound in enumerate(bounds)
    ]
    columns.append(({METRIC_NAME: f"{name}_sum"}, [histogram.sum for histogram in histograms]))
    columns.append(({METRIC_NAME: f"{name}_count"}, [histogram.count_int for histogram in histograms]))
    for place, (own, values) in enumerate(columns):
        yield proto.write_v1_pb2.TimeSeries(
            labels=_labels({**shared, **own}),
            samples=[
                proto.write_v1_pb2.Sample(
                    value=histogram.sum if is_stale(histogram.sum) else value, timestamp=histogram.timestamp
                )
                for value, histogram in zip(values, histograms, strict=True)
            ],
            exemplars=[each for each in exemplars if bisect_left(bounds, each.value) == place],
        )


def _counts(histogram: Any, buckets: int) -> list[int]:
    """Return the count of each custom bucket, from the spans and the differences."""
    counts = [0] * buckets
    place = count = 0
    deltas = iter(histogram.positive_deltas)
    for span in histogram.positive_spans:
        place += span.offset
        for _ in range(span.length):
            count += next(deltas)
            counts[place] = count
            place += 1
    return counts
