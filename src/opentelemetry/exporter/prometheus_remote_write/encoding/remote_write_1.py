"""Remote Write 1.0: ``prometheus.WriteRequest``, with native histograms, exemplars and metadata as its extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from .. import proto
from ..model.family import Family
from ..model.remote_write import Exemplar, Labels, Metadata, NativeHistogram
from .series_encoder import (
    EncodedLabels,
    encoded_labels,
    histogram_fields,
)
from .wire import LENGTH_DELIMITED, delimited, tag

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_LABELS = 1
_EXEMPLARS = 3
_HISTOGRAMS = 4
_METADATA = 3  # of the request
_MAX_METADATA_BYTES = 1024 * 1024  # of one request, before compression; a single description may be longer
_SAMPLE_OPENING = b"\x12\x10\x09"  # field 2 of the series, 16 bytes; field 1 of the sample, a double


class RemoteWrite1:
    """Encodes series for Remote Write 1.0, whose series have no start time and no metadata."""

    series_tag = tag(1, LENGTH_DELIMITED)
    long_labels = True
    accumulates = False

    def request_fields(self) -> bytes:
        """Return nothing: everything is in the series."""
        return b""

    def label(self, label: tuple[str, str]) -> bytes:
        """Return one label, its name and value."""
        return _label(label)

    def labels(self, labels: Labels) -> EncodedLabels:
        """Return the labels of a stream."""
        return _labels(labels)

    def before_labels(self, size: int) -> bytes:  # noqa: ARG002 - each label is a field of its own
        """Return nothing: each label is a field of its own."""
        return b""

    def after_labels(self, family: Family) -> bytes:  # noqa: ARG002 - metadata travels separately
        """Return nothing: metadata travels separately."""
        return b""

    def sample_opening(self, start: int) -> bytes:  # noqa: ARG002 - 1.0 has no start time
        """Return the beginning of a float sample."""
        return _SAMPLE_OPENING

    def histogram(self, histogram: NativeHistogram, start: int, timestamp: int) -> bytes:  # noqa: ARG002 - as above
        """Return the field that holds a native histogram."""
        message = proto.write_v1_pb2.Histogram(**histogram_fields(histogram), timestamp=timestamp)
        return delimited(_HISTOGRAMS, message.SerializeToString())

    def exemplars(self, exemplars: Sequence[Exemplar]) -> bytes:
        """Return the fields that hold exemplars."""
        messages = (
            proto.write_v1_pb2.Exemplar(
                labels=[proto.write_v1_pb2.Label(name=name, value=text) for name, text in exemplar.labels],
                value=exemplar.value,
                timestamp=exemplar.timestamp,
            )
            for exemplar in exemplars
        )
        return b"".join(delimited(_EXEMPLARS, message.SerializeToString()) for message in messages)


def metadata_messages(families: Iterable[Metadata], most: int) -> Iterator[list[bytes]]:
    """Yield messages with metadata and without series, which 1.0 receivers expect now and then.

    Args:
        families: Of several with one name, the first counts.
        most: How many of them one message holds.

    Yields:
        Messages of a bounded size, in pieces to be joined.
    """
    names: set[str] = set()
    pieces: list[bytes] = []
    size = 0
    for family, type_, help_, unit in families:
        if family in names:
            continue
        names.add(family)
        message = proto.write_v1_pb2.MetricMetadata(
            type=proto.write_v1_pb2.MetricMetadata.MetricType.Name(type_),
            metric_family_name=family,
            help=help_,
            unit=unit,
        )
        piece = delimited(_METADATA, message.SerializeToString())
        if pieces and (len(pieces) >= most or size + len(piece) > _MAX_METADATA_BYTES):
            yield pieces
            pieces, size = [], 0
        pieces.append(piece)
        size += len(piece)
    if pieces:
        yield pieces


@lru_cache(maxsize=10_000)  # most labels occur in many series
def _label(label: tuple[str, str]) -> bytes:
    name, text = label
    return delimited(_LABELS, delimited(1, name.encode()) + delimited(2, text.encode()))


@lru_cache(maxsize=1000)  # the metrics of a scope mostly have the same sets
def _labels(labels: Labels) -> EncodedLabels:
    return encoded_labels(labels, _label)
