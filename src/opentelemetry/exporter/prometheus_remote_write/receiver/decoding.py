"""From the bytes of either version's message to what they say."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

import google.protobuf.message
from google.protobuf.unknown_fields import UnknownFieldSet

from ..model.remote_write import Exemplar, Labels, Span
from ..proto import write_v1_pb2 as v1
from ..proto import write_v2_pb2 as v2
from .received import (
    Histogram,
    Message,
    Metadata,
    Sample,
    Series,
)
from .refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_AnyHistogram: TypeAlias = "v1.Histogram | v2.Histogram"
_AnySpan: TypeAlias = "v1.BucketSpan | v2.BucketSpan"

_METRIC_TYPES = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


def decode(protocol: str, content: bytes) -> Message:
    """Return what a decompressed body says.

    Args:
        protocol: The version, ``1.0`` or ``2.0``.
        content: The bytes of a WriteRequest (1.0) or a Request (2.0).

    Raises:
        Refusal: The bytes are no such message, or hold what has no meaning: fields that the protocol does not have,
            references that lead nowhere, counts of the wrong flavour.
    """
    return _decode_1_0(content) if protocol == "1.0" else _decode_2_0(content)


def _decode_1_0(content: bytes) -> Message:
    request = v1.WriteRequest()
    _parse(request, content)
    families: dict[str, Metadata] = {}
    for entry in request.metadata:
        family = entry.metric_family_name
        if not family or family in families:
            raise Refusal(f"metadata of family {family!r}: the name is {'there twice' if family else 'empty'}")
        families[family] = Metadata(_metric_type(entry.type), entry.help, entry.unit)
    return Message("1.0", tuple(map(_series_1_0, request.timeseries)), families)


def _series_1_0(series: v1.TimeSeries) -> Series:
    labels = _label_pairs(series.labels)
    return Series(
        labels,
        tuple(Sample(sample.value, sample.timestamp) for sample in series.samples),
        tuple(_histogram(histogram, 0, labels) for histogram in series.histograms),
        tuple(Exemplar(_label_pairs(each.labels), each.value, each.timestamp) for each in series.exemplars),
    )


def _label_pairs(labels: Iterable[v1.Label]) -> Labels:
    return tuple((label.name, label.value) for label in labels)


def _decode_2_0(content: bytes) -> Message:
    request = v2.Request()
    _parse(request, content)
    symbols = tuple(request.symbols)
    if (symbols or request.timeseries) and (not symbols or symbols[0]):
        raise Refusal("symbols[0] is not the empty string")
    if len(set(symbols)) != len(symbols):
        twice = next(symbol for place, symbol in enumerate(symbols) if symbol in symbols[:place])
        raise Refusal(f"symbol {twice!r} is in the table twice")
    return Message("2.0", tuple(_series_2_0(series, symbols) for series in request.timeseries), {})


def _series_2_0(series: v2.TimeSeries, symbols: Sequence[str]) -> Series:
    labels = _dereference(series.labels_refs, symbols, "labels_refs of a series")
    metadata = None
    if series.HasField("metadata"):
        sent = series.metadata
        metadata = Metadata(
            _metric_type(sent.type, labels),
            _symbol(sent.help_ref, symbols, "help_ref", labels),
            _symbol(sent.unit_ref, symbols, "unit_ref", labels),
        )
    return Series(
        labels,
        tuple(Sample(sample.value, sample.timestamp, sample.start_timestamp) for sample in series.samples),
        tuple(_histogram(histogram, histogram.start_timestamp, labels) for histogram in series.histograms),
        tuple(
            Exemplar(
                _dereference(each.labels_refs, symbols, "labels_refs of an exemplar", labels),
                each.value,
                each.timestamp,
            )
            for each in series.exemplars
        ),
        metadata,
    )


def _dereference(refs: Sequence[int], symbols: Sequence[str], what: str, series: Labels | None = None) -> Labels:
    if len(refs) % 2:
        raise Refusal(f"{what}: {len(refs)} references do not pair up: {list(refs)[:20]}", series=series)
    strings = [_symbol(ref, symbols, what, series) for ref in refs]
    return tuple(zip(strings[::2], strings[1::2], strict=True))


def _symbol(ref: int, symbols: Sequence[str], what: str, series: Labels | None) -> str:
    if ref >= len(symbols):
        raise Refusal(f"{what}: reference {ref} is beyond the table of {len(symbols)} symbols", series=series)
    return symbols[ref]


def _histogram(histogram: _AnyHistogram, start_timestamp: int, labels: Labels) -> Histogram:
    floats = histogram.WhichOneof("count") == "count_float"
    wrong = [
        field
        for field in (
            ("zero_count_int", "negative_deltas", "positive_deltas")
            if floats
            else ("zero_count_float", "negative_counts", "positive_counts")
        )
        if (histogram.WhichOneof("zero_count") == field if field.startswith("zero") else getattr(histogram, field))
    ]
    if wrong:
        flavour = "float" if floats else "integer"
        raise Refusal(f"a native histogram with {flavour} counts has {wrong[0]}", series=labels)
    return Histogram(
        timestamp=histogram.timestamp,
        count=histogram.count_float if floats else histogram.count_int,
        sum=histogram.sum,
        schema=histogram.schema,
        zero_threshold=histogram.zero_threshold,
        zero_count=histogram.zero_count_float if floats else histogram.zero_count_int,
        negative_spans=_spans(histogram.negative_spans),
        negative_counts=tuple(histogram.negative_counts if floats else accumulate(histogram.negative_deltas)),
        positive_spans=_spans(histogram.positive_spans),
        positive_counts=tuple(histogram.positive_counts if floats else accumulate(histogram.positive_deltas)),
        custom_bounds=tuple(histogram.custom_values),
        reset_hint=histogram.reset_hint,
        start_timestamp=start_timestamp,
    )


def _spans(spans: Iterable[_AnySpan]) -> tuple[Span, ...]:
    return tuple(Span(span.offset, span.length) for span in spans)


def _metric_type(number: int, series: Labels | None = None) -> str:
    if number not in range(len(_METRIC_TYPES)):
        raise Refusal(f"metadata has the type {number}, which the protocol does not have", series=series)
    return _METRIC_TYPES[number]


def _parse(message: google.protobuf.message.Message, content: bytes) -> None:
    try:
        message.ParseFromString(content)
    except (
        google.protobuf.message.DecodeError,
        ValueError,
    ) as error:  # ValueError: bad UTF-8 in protobuf's Python implementation
        raise Refusal(f"the body is no {message.DESCRIPTOR.name} with strings in UTF-8: {error}") from error
    if field := _unknown_field(message):
        raise Refusal(f"the body has a field that the protocol does not have: {field}")


def _unknown_field(message: google.protobuf.message.Message) -> str | None:
    """Return the first unknown field, as message and number, or None."""
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    if known.ByteSize() == message.ByteSize():
        return None
    unknown = UnknownFieldSet(message)
    if len(unknown):
        return f"{message.DESCRIPTOR.name} {unknown[0].field_number}"
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in (value,) if isinstance(value, google.protobuf.message.Message) else value:
                if found := _unknown_field(part):
                    return found
    return None
