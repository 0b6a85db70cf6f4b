"""Exports made by hypothesis: families whose streams come, go and change their order."""

from __future__ import annotations

import struct
from array import array
from dataclasses import replace
from itertools import accumulate

from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.model.family import Family, FamilySamples, SeriesName, Stream
from opentelemetry.exporter.prometheus_remote_write.model.list_diff import ListDiff, list_diff
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import (
    Exemplar,
    Metadata,
    MetricType,
    NativeHistogram,
    Span,
)
from opentelemetry.exporter.prometheus_remote_write.model.timestamps import LATEST
from opentelemetry.exporter.prometheus_remote_write.receiver.received import Sample, Series
from tests.collected import NOW, START
from tests.family_samples import read

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
LABELS = st.dictionaries(
    st.one_of(st.sampled_from(["A", "Z", "_", "a", "le", "lf", "job", "zone", "__nam", "__name__x"]), TEXTS).filter(
        lambda name: name != "__name__"
    ),
    st.one_of(TEXTS, st.text("x", min_size=100, max_size=300)),
    max_size=5,
).map(lambda labels: tuple(sorted(labels.items())))
TIMES = st.one_of(st.just(NOW), st.integers(0, LATEST))
VALUES = st.one_of(st.floats(), st.sampled_from([0.0, -0.0]))


@st.composite
def exemplars(draw):
    found = draw(st.lists(st.builds(Exemplar, LABELS, st.floats(allow_nan=False), TIMES), min_size=1, max_size=3))
    return tuple(found)


@st.composite
def native_histograms(draw):
    counts = draw(st.lists(st.integers(0, 2**40), max_size=4))
    deltas = tuple(count - before for count, before in zip(counts, [0, *counts], strict=False))
    spans = (Span(draw(st.integers(-1000, 1000)), len(counts)),) if counts else ()
    return NativeHistogram(sum(counts), draw(VALUES), draw(st.integers(-4, 8)), 1e-128, 0, (), (), spans, deltas)


@st.composite
def families(draw, number):
    native = draw(st.booleans())
    bounds = [] if native else draw(st.lists(st.sampled_from(["0", "0.5", "1", "+Inf"]), unique=True, max_size=4))
    name = f"family_{number}"
    names = [SeriesName(f"{name}_bucket", bound) for bound in bounds] + [SeriesName(name)]
    metadata = Metadata(name, draw(st.sampled_from(MetricType)), draw(st.text("Hü", max_size=3)), draw(TEXTS))
    return Family(name, metadata, tuple(names), native)


@st.composite
def sequences(draw, max_exports=5):
    """Several exports; a family whose streams stay as they are has the same list, as translation has it."""
    known = [draw(families(number)) for number in range(draw(st.integers(1, 3)))]
    all_streams = {
        family: [
            stream(labels, draw(st.sampled_from([0, START])))
            for labels in draw(
                st.lists(LABELS.filter(lambda labels: "le" not in dict(labels)), unique=True, max_size=6)
            )
        ]
        for family in known
    }
    before = {}
    made = []
    for _ in range(draw(st.integers(1, max_exports))):
        all_samples = []
        for family in draw(st.permutations(known)):
            chosen = draw(st.permutations(all_streams[family]))[: draw(st.integers(0, len(all_streams[family])))]
            were = before.get(family)
            streams = before[family] = chosen if were is None or draw(st.booleans()) else were
            if streams:
                diff = None if were is None else draw(list_diffs(were, streams))
                all_samples.append(draw(family_samples(family, streams))._replace(diff=diff))
        made.append(all_samples)
    return made


def list_diffs(before, now):
    """What family samples may say of two lists: nothing, the truth, or something about other lists."""
    return st.sampled_from([None, list_diff(before, now), ListDiff([*before], [*now], [], [])])


@st.composite
def family_samples(draw, family, streams):
    series = len(streams) * len(family.names)
    values = [] if family.native else draw(st.lists(VALUES, min_size=series, max_size=series))
    return FamilySamples(
        family,
        streams,
        draw(st.one_of(TIMES, st.lists(TIMES, min_size=len(streams), max_size=len(streams)))),
        array("d", values),
        [draw(native_histograms()) for _ in streams] if family.native else (),
        draw(st.dictionaries(st.integers(0, series - 1), exemplars(), max_size=2)),
    )


def gauge_family(name="level", **fields):
    return Family(name, Metadata(name, MetricType.GAUGE, "", ""), (SeriesName(name),), **fields)


def stream(labels, start=0):
    return Stream(labels, start, len("".join(text for label in labels for text in label).encode()))


def streams(*labels):
    return [stream((("at", str(label)),), START) for label in labels]


def floats(family, its_streams, value=1.0, **fields):
    """Family samples with the same value in all series."""
    values = array("d", [value] * (len(its_streams) * len(family.names)))
    return FamilySamples(
        **{
            "family": family,
            "streams": its_streams,
            "timestamps": NOW,
            "values": values,
            "histograms": (),
            "exemplars": {},
        }
        | fields
    )


# --- what a receiver has to find ---


def expected(all_samples, protocol):
    """The series of family samples as a receiver decodes them, in any order."""
    return sorted(comparable(expected_series(series, protocol)) for series in read(all_samples))


def expected_series(series, protocol):
    start = series.start if protocol == "2.0" else 0
    native = isinstance(series.value, NativeHistogram)
    return Series(
        labels=tuple(sorted(series.labels.items())),
        samples=() if native else (Sample(series.value, series.timestamp, start),),
        histograms=(decoded_histogram(series, start),) if native else (),
        exemplars=series.exemplars,
    )


def decoded_histogram(series, start):
    value = series.value
    return (
        series.timestamp,
        start,
        value.count,
        bits(value.sum),
        value.schema,
        value.zero_threshold,
        value.positive_spans,
        tuple(accumulate(value.positive_deltas)),
    )


def found(all_series):
    """Decoded series in the form of expected()."""
    return sorted(
        comparable(
            replace(
                series,
                metadata=None,
                histograms=tuple(
                    (
                        each.timestamp,
                        each.start_timestamp,
                        each.count,
                        bits(each.sum),
                        each.schema,
                        each.zero_threshold,
                        each.positive_spans,
                        each.positive_counts,
                    )
                    for each in series.histograms
                ),
            )
        )
        for series in all_series
    )


def comparable(series):
    return (
        series.labels,
        tuple((bits(sample.value), sample.timestamp, sample.start_timestamp) for sample in series.samples),
        series.histograms,
        tuple((each.labels, bits(each.value), each.timestamp) for each in series.exemplars),
    )


def bits(value):
    return struct.pack("<d", value)
