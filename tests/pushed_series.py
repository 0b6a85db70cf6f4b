"""What an exporter has pushed, in one form that can be compared whatever the protocol and however it was laid out."""

from __future__ import annotations

import re
from typing import NamedTuple


class Pushed(NamedTuple):
    """Samples by series and time, and metadata (type, help, unit) by family."""

    samples: dict
    families: dict


class Sample(NamedTuple):
    value: float | str | Buckets
    start_timestamp: int
    exemplars: tuple


class Buckets(NamedTuple):
    """A native histogram as a receiver reads it: counts by bucket, however they are laid out in spans."""

    schema: int
    count: int
    sum: float | str
    zero_threshold: float
    zero_count: int
    positive: dict
    negative: dict
    custom_bounds: tuple


def received(requests, ignored_labels=frozenset()):
    """Return what requests of either protocol (`receiver.received`) hold, without the labels that are to be ignored.

    A series with two values for one time is a fault, whether in one request or in two.
    """
    samples, families = {}, {}
    for request in requests:
        for family, metadata in request.families.items():
            families[family] = (metadata.type, metadata.help, metadata.unit)
        for series in request.series:
            labels = dict(series.labels)
            for each in series.samples + series.histograms:
                where = key(labels, each.timestamp, ignored_labels)
                assert where not in samples, f"pushed twice: {where}"
                value = native_received(each) if hasattr(each, "schema") else number(each.value)
                samples[where] = Sample(value, each.start_timestamp, series.exemplars)
            if series.metadata:
                is_classic = series.metadata.type == "histogram" and not series.histograms
                family = re.sub("_(bucket|sum|count)$", "", series.name) if is_classic else series.name
                families[family] = (series.metadata.type, series.metadata.help, series.metadata.unit)
    return Pushed(samples, families)


def key(labels, timestamp, ignored):
    return tuple(sorted((name, text) for name, text in labels.items() if name not in ignored)), timestamp


def number(value):
    """Return a number that equals itself; the recording writes NaN as NaN:0x<bits>."""
    return "NaN" if str(value).lower().startswith("nan") else float(value)


def native_received(histogram):
    return Buckets(
        schema=histogram.schema,
        count=histogram.count,
        sum=number(histogram.sum),
        zero_threshold=histogram.zero_threshold,
        zero_count=histogram.zero_count,
        positive=nonzero([span._asdict() for span in histogram.positive_spans], histogram.positive_counts),
        negative=nonzero([span._asdict() for span in histogram.negative_spans], histogram.negative_counts),
        custom_bounds=histogram.custom_bounds,
    )


def nonzero(spans, counts):
    numbers, end = [], 0
    for span in spans:
        numbers += range(end + span["offset"], end + span["offset"] + span["length"])
        end += span["offset"] + span["length"]
    return {number: count for number, count in zip(numbers, counts, strict=True) if count}
