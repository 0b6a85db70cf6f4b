"""From the bytes of either version's message to what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TypeAlias, TypeVar

import google.protobuf.message
from google.protobuf.unknown_fields import UnknownFieldSet

from ..model.remote_write import Exemplar, Labels, Span
from ..proto import write_v1_pb2 as v1
from ..proto import write_v2_pb2 as v2
from .limits import Limits
from .received import (
    Histogram,
    Message,
    ReceivedMetadata,
    Sample,
    Series,
)
from .refusal import Refusal
from .wire import MOST_BYTES_OF_A_PART, Elements, Field, bounded_fields, malformed

_AnyHistogram: TypeAlias = "v1.Histogram | v2.Histogram"
_AnySpan: TypeAlias = "v1.BucketSpan | v2.BucketSpan"

_Message = TypeVar("_Message", v1.TimeSeries, v2.TimeSeries, v1.MetricMetadata)

_NAMES = {each.DESCRIPTOR.file.name: each.DESCRIPTOR.name for each in (v1.WriteRequest, v2.Request)}
_FIELDS_1_0 = frozenset({v1.WriteRequest.TIMESERIES_FIELD_NUMBER, v1.WriteRequest.METADATA_FIELD_NUMBER})
_FIELDS_2_0 = frozenset({v2.Request.SYMBOLS_FIELD_NUMBER, v2.Request.TIMESERIES_FIELD_NUMBER})
_COST_OF_SERIES, _COST_OF_SAMPLE, _COST_OF_EXEMPLAR, _COST_OF_HISTOGRAM = 4, 2, 8, 8  # labels, as measured
_PARTS_OF_HISTOGRAMS = (
    "negative_spans",
    "negative_deltas",
    "negative_counts",
    "positive_spans",
    "positive_deltas",
    "positive_counts",
    "custom_values",
)
_METRIC_TYPES = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


def decode(
    protocol: str,
    content: bytes,
    check: Callable[[Series], None] = lambda _: None,
    elements: Elements | None = None,
) -> Message:
    """Return what a decompressed body says.

    One series is decoded at a time, so that a body that is small and unpacks to much ends at its first fault.

    Args:
        protocol: The version, ``1.0`` or ``2.0``.
        content: The bytes of a WriteRequest (1.0) or a Request (2.0).
        check: Called with each series as soon as it is decoded; it may raise Refusal.
        elements: Counts what the request consists of; not given, with the limit of a receiver.

    Raises:
        Refusal: The bytes are no such message, too large, or hold what has no meaning: fields that the protocol does
            not have, references that lead nowhere, counts of the wrong flavour.
    """
    elements = elements or Elements(Limits().elements)
    return _decode_1_0(content, check, elements) if protocol == "1.0" else _decode_2_0(content, check, elements)


def _decode_1_0(content: bytes, check: Callable[[Series], None], elements: Elements) -> Message:
    families: dict[str, ReceivedMetadata] = {}
    all_series: list[Series] = []
    pairs: dict[tuple[str, str], tuple[str, str]] = {}
    for field in bounded_fields(content, _FIELDS_1_0, v1.WriteRequest.DESCRIPTOR.name, elements):
        if field.number == v1.WriteRequest.METADATA_FIELD_NUMBER:
            entry = _parse(v1.MetricMetadata, content, field)
            family = entry.metric_family_name
            if not family or family in families:
                raise Refusal(f"metadata of family {family!r}: the name is {'there twice' if family else 'empty'}")
            families[family] = ReceivedMetadata(_metric_type(entry.type), entry.help, entry.unit)
        else:
            sent = _parse(v1.TimeSeries, content, field)
            elements.take(_size(sent) + len(sent.labels) + sum(len(each.labels) for each in sent.exemplars))
            series = _series_1_0(sent, pairs)
            check(series)
            all_series.append(series)
    return Message("1.0", tuple(all_series), families)


def _series_1_0(series: v1.TimeSeries, pairs: dict[tuple[str, str], tuple[str, str]]) -> Series:
    labels = _label_pairs(series.labels, pairs)
    return Series(
        labels,
        tuple(Sample(sample.value, sample.timestamp) for sample in series.samples),
        tuple(_histogram(histogram, 0, labels) for histogram in series.histograms),
        tuple(Exemplar(_label_pairs(each.labels, pairs), each.value, each.timestamp) for each in series.exemplars),
    )


def _label_pairs(labels: Iterable[v1.Label], pairs: dict[tuple[str, str], tuple[str, str]]) -> Labels:
    """Return labels, equal ones of one request as one object: most series share most of theirs."""
    return tuple(pairs.setdefault(pair, pair) for pair in ((label.name, label.value) for label in labels))


def _decode_2_0(content: bytes, check: Callable[[Series], None], elements: Elements) -> Message:
    name = v2.Request.DESCRIPTOR.name
    symbols: dict[str, None] = {}
    parts: list[Field] = []
    for field in bounded_fields(content, _FIELDS_2_0, name, elements):
        if field.number == v2.Request.TIMESERIES_FIELD_NUMBER:
            parts.append(field)
            continue
        try:
            symbol = content[field.start : field.end].decode()
        except UnicodeDecodeError as error:
            raise malformed(name, error) from error
        if symbol in symbols:
            raise Refusal(f"symbol {symbol!r} is in the table twice")
        symbols[symbol] = None
    table = tuple(symbols)
    if (table or parts) and (not table or table[0]):
        raise Refusal("symbols[0] is not the empty string")
    all_series: list[Series] = []
    pairs: dict[tuple[str, str], tuple[str, str]] = {}
    for part in parts:
        sent = _parse(v2.TimeSeries, content, part)
        elements.take(_size(sent) + len(sent.labels_refs) + sum(len(each.labels_refs) for each in sent.exemplars))
        series = _series_2_0(sent, table, pairs)
        check(series)
        all_series.append(series)
    return Message("2.0", tuple(all_series), {})


def _series_2_0(series: v2.TimeSeries, symbols: Sequence[str], pairs: dict[tuple[str, str], tuple[str, str]]) -> Series:
    labels = _dereference(series.labels_refs, symbols, pairs, "labels_refs of a series")
    metadata = None
    if series.HasField("metadata"):
        sent = series.metadata
        metadata = ReceivedMetadata(
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
                _dereference(each.labels_refs, symbols, pairs, "labels_refs of an exemplar", labels),
                each.value,
                each.timestamp,
            )
            for each in series.exemplars
        ),
        metadata,
    )


def _size(series: v1.TimeSeries | v2.TimeSeries) -> int:
    """Return how many elements a series has besides its labels and its exemplars' labels, by what they cost."""
    return (
        _COST_OF_SERIES
        + _COST_OF_SAMPLE * len(series.samples)
        + _COST_OF_EXEMPLAR * len(series.exemplars)
        + sum(
            _COST_OF_HISTOGRAM + sum(len(getattr(each, part)) for part in _PARTS_OF_HISTOGRAMS)
            for each in series.histograms
        )
    )


def _dereference(
    refs: Sequence[int],
    symbols: Sequence[str],
    pairs: dict[tuple[str, str], tuple[str, str]],
    what: str,
    series: Labels | None = None,
) -> Labels:
    if len(refs) % 2:
        raise Refusal(f"{what}: {len(refs)} references do not pair up: {list(refs)[:20]}", series=series)
    strings = [_symbol(ref, symbols, what, series) for ref in refs]
    return tuple(pairs.setdefault(pair, pair) for pair in zip(strings[::2], strings[1::2], strict=True))


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


def _parse(kind: type[_Message], content: bytes, field: Field) -> _Message:
    name = kind.DESCRIPTOR.name
    if field.end - field.start > MOST_BYTES_OF_A_PART:
        raise Refusal(
            f"a {name} has {field.end - field.start} bytes; the limit is {MOST_BYTES_OF_A_PART}",
            status=413,
        )
    part = kind()
    try:
        part.ParseFromString(content[field.start : field.end])
    except (google.protobuf.message.DecodeError, ValueError) as error:  # the second: bad UTF-8, if protobuf is Python
        raise malformed(_NAMES[kind.DESCRIPTOR.file.name], error) from error
    if unknown := _unknown_field(part):
        raise Refusal(f"the body has a field that the protocol does not have: {unknown}")
    return part


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
