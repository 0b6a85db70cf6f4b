"""Remote Write 2.0: ``io.prometheus.write.v2.Request`` (specification 2.0-rc.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from .. import proto
from ..model.family import Family
from ..model.remote_write import Exemplar, Labels, NativeHistogram
from .series_encoder import (
    EncodedLabels,
    encoded_labels,
    histogram_fields,
)
from .wire import (
    LENGTH_DELIMITED,
    VARINT,
    delimited,
    tag,
    timestamp,
    varint,
)

HEADERS = {
    "Content-Encoding": "snappy",
    # Exactly so: with a space after the semicolon Prometheus reads an empty message of 1.0.
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}
_SETS_KEPT = 250  # of labels; the metrics of a scope mostly have the same
_SYMBOLS = 4
_LABELS_REFS_TAG = tag(1, LENGTH_DELIMITED)
_HISTOGRAMS = 3
_EXEMPLARS = 4
_METADATA = 5
_SAMPLE_OPENING = b"\x12\x10\x09"  # field 2 of the series, 16 bytes; field 1 of the sample, a double
_SAMPLE_OPENING_WITH_START = b"\x12\x17\x18%b\x09"  # 23 bytes; field 3 of the sample, the start; then field 1


class RemoteWrite2:
    """Encodes series for Remote Write 2.0, where a request holds each string once and series refer to it.

    The string table is kept with the request, so that a series' references stay valid. It only grows, so the request
    has to be encoded again when too much of the table is no longer needed.
    """

    series_tag = tag(5, LENGTH_DELIMITED)
    long_labels = False
    accumulates = True

    def __init__(self) -> None:
        self._symbols = {"": 0}
        self._passing: dict[str, int] = {}
        self._label = _Labels(self._reference)
        self._encoded = lru_cache(maxsize=_SETS_KEPT)(self._encode)
        self._table = bytearray(delimited(_SYMBOLS, b""))

    def request_fields(self) -> bytes:
        """Return the string table, and forget the strings of this request's exemplars."""
        passing = b"".join(delimited(_SYMBOLS, text.encode()) for text in self._passing)
        self._passing.clear()
        return bytes(self._table) + passing

    def label(self, label: tuple[str, str]) -> bytes:
        """Return one label, its name and value, as references."""
        return self._label[label]

    def labels(self, labels: Labels) -> EncodedLabels:
        """Return the labels of a stream."""
        return self._encoded(labels)

    def before_labels(self, size: int) -> bytes:
        """Return the beginning of the field with all labels' references."""
        return _LABELS_REFS_TAG + varint(size)

    def after_labels(self, family: Family) -> bytes:
        """Return the metadata of a series."""
        metadata = family.metadata
        fields = (1, int(metadata.type)), (3, self._reference(metadata.help)), (4, self._reference(metadata.unit))
        return delimited(_METADATA, b"".join(tag(field, VARINT) + varint(number) for field, number in fields if number))

    def sample_opening(self, start: int) -> bytes:
        """Return the beginning of a float sample."""
        return _opening_with_start(start) if start else _SAMPLE_OPENING

    def histogram(self, histogram: NativeHistogram, start: int, timestamp: int) -> bytes:
        """Return the field that holds a native histogram."""
        message = proto.write_v2_pb2.Histogram(
            **histogram_fields(histogram),
            timestamp=timestamp,
            start_timestamp=start,
            custom_values=histogram.custom_bounds,
        )
        return delimited(_HISTOGRAMS, message.SerializeToString())

    def exemplars(self, exemplars: Sequence[Exemplar]) -> bytes:
        """Return the fields that hold exemplars; call it after encoding the constant part of all series."""
        messages = (
            proto.write_v2_pb2.Exemplar(
                labels_refs=[self._passing_reference(text) for label in exemplar.labels for text in label],
                value=exemplar.value,
                timestamp=exemplar.timestamp,
            )
            for exemplar in exemplars
        )
        return b"".join(delimited(_EXEMPLARS, message.SerializeToString()) for message in messages)

    def _encode(self, labels: Labels) -> EncodedLabels:
        return encoded_labels(labels, self._label.__getitem__)

    def _reference(self, text: str) -> int:
        reference = self._symbols.get(text)
        if reference is None:
            reference = self._symbols[text] = len(self._symbols)
            self._table += delimited(_SYMBOLS, text.encode())
        return reference

    def _passing_reference(self, text: str) -> int:
        # An exemplar's strings hardly ever recur: they must not stay in the table.
        kept = self._symbols.get(text)
        if kept is not None:
            return kept
        return self._passing.setdefault(text, len(self._symbols) + len(self._passing))


@lru_cache(maxsize=1000)  # streams of many metrics may start together
def _opening_with_start(start: int) -> bytes:
    return _SAMPLE_OPENING_WITH_START % timestamp(start)


class _Labels(dict[tuple[str, str], bytes]):
    """The references of each label, created on first use."""

    def __init__(self, reference: Callable[[str], int]) -> None:
        super().__init__()
        self._reference = reference

    def __missing__(self, label: tuple[str, str]) -> bytes:
        name, text = label
        references = self[label] = varint(self._reference(name)) + varint(self._reference(text))
        return references
