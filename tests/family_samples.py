"""Family samples, read one series at a time: slow and plain, where the encoders are quick."""

from __future__ import annotations

from typing import NamedTuple

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import (
    Exemplar,
    Metadata,
    NativeHistogram,
)


class Series(NamedTuple):
    """One series of one export."""

    labels: dict[str, str]
    value: float | NativeHistogram
    timestamp: int
    start: int
    exemplars: tuple[Exemplar, ...]
    metadata: Metadata

    @property
    def name(self) -> str:
        return self.labels["__name__"]


def read(all_samples) -> list[Series]:
    """The series of family samples, in their order."""
    return [series for family_samples in all_samples for series in read_one(family_samples)]


def read_one(family_samples):
    family, streams, timestamps, values, histograms, exemplars, *_ = family_samples
    worth = list(histograms) if family.native else list(values)
    assert len(worth) == len(streams) * len(family.names)
    assert not (family.native and values)
    for position, value in enumerate(worth):
        stream, name = streams[position // len(family.names)], family.names[position % len(family.names)]
        yield Series(
            labels={**dict(stream.labels), "__name__": name.name} | ({"le": name.le} if name.le else {}),
            value=value,
            timestamp=timestamps if isinstance(timestamps, int) else timestamps[position // len(family.names)],
            start=stream.start,
            exemplars=exemplars.get(position, ()),
            metadata=family.metadata,
        )


def values(all_samples, *, without=()):
    """The values of family samples by name and labels, the labels as keywords in a text; no series may come twice."""
    found = {}
    for series in read(all_samples):
        key = text(series, without)
        assert key not in found, f"{key} comes twice"
        found[key] = series.value
    return found


def text(series, without=()):
    shown = ",".join(
        f"{name}={value}" for name, value in sorted(series.labels.items()) if name not in {"__name__", *without}
    )
    return f"{series.name}{{{shown}}}"
