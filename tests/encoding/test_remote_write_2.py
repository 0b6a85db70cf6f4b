import math
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import HEADERS, Encoder
from opentelemetry.exporter.prometheus_remote_write.model.family import Family, FamilySamples, SeriesName, Stream
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import (
    Exemplar,
    Metadata,
    MetricType,
    NativeHistogram,
    Span,
)
from opentelemetry.exporter.prometheus_remote_write.model.request import PROTOCOL_1, PROTOCOL_2
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.proto import write_v2_pb2 as v2
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from tests.family_samples import read

START = 1_749_999_000_000
NOW = 1_750_000_000_000
NATIVE = NativeHistogram(
    count=7,
    sum=4.5,
    schema=3,
    zero_threshold=1e-128,
    zero_count=1,
    negative_spans=(Span(-2, 1),),
    negative_deltas=(2,),
    positive_spans=(Span(0, 1), Span(4, 1)),
    positive_deltas=(1, 2),
)
CUSTOM = NativeHistogram(
    count=3,
    sum=9.5,
    schema=-53,
    zero_threshold=0.0,
    zero_count=0,
    negative_spans=(),
    negative_deltas=(),
    positive_spans=(Span(0, 2),),
    positive_deltas=(1, 1),
    custom_bounds=(0.5, 2.5),
)


def family(name, *, type_=MetricType.GAUGE, help_="", unit="", native=False):
    return Family(name, Metadata(name, type_, help_, unit), (SeriesName(name),), native)


def histogram_family(name, *bounds, help_="How long", unit="seconds"):
    buckets = (SeriesName(f"{name}_bucket", bound) for bound in (*bounds, "+Inf"))
    names = (*buckets, SeriesName(f"{name}_sum"), SeriesName(f"{name}_count"))
    return Family(name, Metadata(name, MetricType.HISTOGRAM, help_, unit), names)


def stream(*, start=0, **labels):
    return Stream(tuple(sorted(labels.items())), start, 0)


def family_samples(of, *streams, values=(), at=NOW, histograms=(), exemplars=None):
    given = values or [float(number) for number in range(len(streams) * len(of.names) * (not of.native))]
    return FamilySamples(of, list(streams), at, array("d", given), histograms, exemplars or {})


def encoder(protocol=PROTOCOL_2, max_samples=2000):
    return Encoder(protocol, max_samples, b"".join, clock=lambda: 0.0)


def messages(encodes, *all_samples):
    """The requests of an export as protobuf decodes them, and as the strict receiver does."""
    requests = list(encodes.encode(all_samples))
    for request in requests:
        decode(PROTOCOL_2, request.body)  # symbols: the empty one first, none twice, every reference leads somewhere
    return [v2.Request.FromString(request.body) for request in requests]


def message(encodes, *all_samples):
    [only] = messages(encodes, *all_samples)
    return only


def labels_of(request, labels_refs):
    strings = [request.symbols[reference] for reference in labels_refs]
    return dict(zip(strings[::2], strings[1::2], strict=True))


# --- one request ---


def test_a_request_byte_for_byte():
    of = family("up", type_=MetricType.COUNTER, help_="Uptime", unit="s")
    [request] = encoder().encode([family_samples(of, stream(start=START, job="shop"), values=[1.5])])
    assert request.body == b"".join(
        (
            *(
                b"\x22" + bytes([len(text)]) + text
                for text in (b"", b"Uptime", b"s", b"__name__", b"up", b"job", b"shop")
            ),
            b"\x2a\x27",  # field 5, a series of 39 bytes
            b"\x0a\x04\x03\x04\x05\x06",  # labels_refs, packed
            b"\x2a\x06\x08\x01\x18\x01\x20\x02",  # metadata: counter, help_ref, unit_ref
            b"\x12\x17",  # a sample of 23 bytes
            b"\x18\xc0\xb3\xc6\xa0\xf7\x32",  # start_timestamp
            b"\x09" + struct.pack("<d", 1.5),
            b"\x10\x80\xb8\x83\xa1\xf7\x32",  # timestamp
        )
    )
    assert v2.Request.FromString(request.body) == v2.Request(
        symbols=["", "Uptime", "s", "__name__", "up", "job", "shop"],
        timeseries=[
            v2.TimeSeries(
                labels_refs=[3, 4, 5, 6],
                samples=[v2.Sample(value=1.5, timestamp=NOW, start_timestamp=START)],
                metadata=v2.Metadata(type="METRIC_TYPE_COUNTER", help_ref=1, unit_ref=2),
            )
        ],
    )
    assert (request.protocol, request.samples, request.histograms, request.exemplars) == ("2.0", 1, 0, 0)


def test_the_headers_are_to_the_letter():
    assert HEADERS["2.0"] == {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        "X-Prometheus-Remote-Write-Version": "2.0.0",
    }


def test_nothing_to_send_is_no_request():
    assert list(encoder().encode([])) == []


def test_each_string_is_in_the_table_once_whatever_it_is_the_name_of():
    of = family("job", help_="job", unit="job")
    request = message(encoder(), family_samples(of, stream(job="job", a="b"), stream(job="a", b="job")))
    assert sorted(request.symbols) == ["", "__name__", "a", "b", "job"]
    assert [labels_of(request, series.labels_refs) for series in request.timeseries] == [
        {"__name__": "job", "job": "job", "a": "b"},
        {"__name__": "job", "job": "a", "b": "job"},
    ]


def test_labels_are_in_the_order_of_their_names_and_not_of_their_references():
    of = histogram_family("latency", "1")
    request = message(encoder(), family_samples(of, stream(zone="a", ZONE="b", code="c"), stream(Z="d", l="e", lf="f")))
    names = [list(labels_of(request, series.labels_refs)) for series in request.timeseries]
    with_bound, without = ["ZONE", "__name__", "code", "le", "zone"], ["ZONE", "__name__", "code", "zone"]
    assert names[:4] == [with_bound, with_bound, without, without]
    with_bound, without = ["Z", "__name__", "l", "le", "lf"], ["Z", "__name__", "l", "lf"]
    assert names[4:] == [with_bound, with_bound, without, without]


def test_every_series_of_a_histogram_brings_the_familys_metadata():
    request = message(encoder(), family_samples(histogram_family("latency", "1"), stream(job="shop")))
    assert [labels_of(request, series.labels_refs)["__name__"] for series in request.timeseries] == [
        "latency_bucket",
        "latency_bucket",
        "latency_sum",
        "latency_count",
    ]
    for series in request.timeseries:
        assert series.metadata.type == v2.Metadata.METRIC_TYPE_HISTOGRAM
        assert request.symbols[series.metadata.help_ref] == "How long"
        assert request.symbols[series.metadata.unit_ref] == "seconds"


@pytest.mark.parametrize("type_", MetricType)
@pytest.mark.parametrize(("help_", "unit"), [("", ""), ("Help", ""), ("", "bytes"), ('line\n"two" \\ é', "bytes")])
def test_metadata_says_what_there_is(type_, help_, unit):
    request = message(encoder(), family_samples(family("x", type_=type_, help_=help_, unit=unit), stream(job="shop")))
    [series] = request.timeseries
    assert series.HasField("metadata")
    assert series.metadata.type == int(type_)
    assert request.symbols[series.metadata.help_ref] == help_
    assert request.symbols[series.metadata.unit_ref] == unit
    assert bool(series.metadata.help_ref) == bool(help_)
    assert bool(series.metadata.unit_ref) == bool(unit)


def test_a_sample_has_its_start_where_that_is_known():
    all_samples = family_samples(
        family("x"), stream(a="1", start=START), stream(a="2", start=0), stream(a="3", start=1)
    )
    request = message(encoder(), all_samples)
    assert [series.samples[0].start_timestamp for series in request.timeseries] == [START, 0, 1]
    assert [series.samples[0].timestamp for series in request.timeseries] == [NOW] * 3


@pytest.mark.parametrize(
    "value", [0.0, -0.0, 1.0, -2.5, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 2.0**53, 0.1 + 0.2]
)
def test_values_are_sent_to_the_bit(value):
    request = message(encoder(), family_samples(family("x"), stream(), values=[value]))
    assert struct.pack("<d", request.timeseries[0].samples[0].value) == struct.pack("<d", value)


@pytest.mark.parametrize("bits", [0x7FF8000000000001, 0x7FF0000000000002, 0xFFF8000000000000])
def test_the_bits_of_nan_are_kept(bits):
    packed = struct.pack("=Q", bits)
    of = family("x")
    sent = FamilySamples(of, [stream()], NOW, array("d", packed), (), {})
    [request] = encoder().encode([sent])
    assert b"\x09" + struct.pack("<Q", bits) + b"\x10" in request.body
    [series] = v2.Request.FromString(request.body).timeseries
    assert math.isnan(series.samples[0].value)


@pytest.mark.parametrize("at", [0, 1, 127, 128, 2**32, NOW, 2**42 - 1])
def test_timestamps_are_sent_whatever_their_size(at):
    request = message(encoder(), family_samples(family("x"), stream(a="1", start=at), stream(a="2"), at=at))
    assert [series.samples[0].timestamp for series in request.timeseries] == [at, at]
    assert request.timeseries[0].samples[0].start_timestamp == at


def test_streams_may_have_times_of_their_own():
    all_samples = family_samples(histogram_family("latency"), stream(a="1"), stream(a="2"), at=[NOW, NOW + 5])
    request = message(encoder(), all_samples)
    assert [series.samples[0].timestamp for series in request.timeseries] == [NOW] * 3 + [NOW + 5] * 3


# --- native histograms ---


def test_a_native_histogram_has_all_its_fields_and_the_start():
    of = family("size", type_=MetricType.HISTOGRAM, native=True)
    [request] = encoder().encode([family_samples(of, stream(job="shop", start=START), histograms=[NATIVE])])
    assert (request.samples, request.histograms) == (0, 1)
    [series] = v2.Request.FromString(request.body).timeseries
    assert not series.samples
    assert list(series.histograms) == [
        v2.Histogram(
            count_int=7,
            sum=4.5,
            schema=3,
            zero_threshold=1e-128,
            zero_count_int=1,
            negative_spans=[v2.BucketSpan(offset=-2, length=1)],
            negative_deltas=[2],
            positive_spans=[v2.BucketSpan(offset=0, length=1), v2.BucketSpan(offset=4, length=1)],
            positive_deltas=[1, 2],
            timestamp=NOW,
            start_timestamp=START,
        )
    ]
    assert series.metadata.type == v2.Metadata.METRIC_TYPE_HISTOGRAM


def test_custom_buckets_bring_their_bounds():
    of = family("latency", type_=MetricType.HISTOGRAM, native=True)
    request = message(encoder(), family_samples(of, stream(), stream(a="1", start=START), histograms=[CUSTOM, CUSTOM]))
    plain = {
        "count_int": 3,
        "sum": 9.5,
        "schema": -53,
        "zero_count_int": 0,
        "positive_spans": [v2.BucketSpan(offset=0, length=2)],
        "positive_deltas": [1, 1],
        "custom_values": [0.5, 2.5],
        "timestamp": NOW,
    }
    assert [list(series.histograms) for series in request.timeseries] == [
        [v2.Histogram(**plain)],
        [v2.Histogram(**plain, start_timestamp=START)],
    ]


def test_native_histograms_travel_apart_from_floats_each_with_a_table_of_its_own():
    native = family_samples(family("size", native=True), stream(job="shop"), histograms=[NATIVE])
    floats = family_samples(family("level"), stream(job="shop"))
    first, second = messages(encoder(), native, floats)
    assert sorted(first.symbols) == ["", "__name__", "job", "shop", "size"]
    assert sorted(second.symbols) == ["", "__name__", "job", "level", "shop"]


# --- exemplars ---


def exemplar(*, at=NOW, value=1.0, **labels):
    return Exemplar(tuple(sorted(labels.items())), value, at)


def test_exemplars_are_beside_their_sample():
    exemplars = {
        0: (exemplar(trace_id="aa", value=0.5), exemplar(trace_id="bb", at=NOW + 1)),
        3: (exemplar(),),
    }
    of = histogram_family("latency", "1")
    [request] = encoder().encode([family_samples(of, stream(job="shop"), exemplars=exemplars)])
    assert request.exemplars == 3
    decoded = v2.Request.FromString(request.body)
    found = [
        [(labels_of(decoded, each.labels_refs), each.value, each.timestamp) for each in series.exemplars]
        for series in decoded.timeseries
    ]
    assert found == [[({"trace_id": "aa"}, 0.5, NOW), ({"trace_id": "bb"}, 1.0, NOW + 1)], [], [], [({}, 1.0, NOW)]]
    assert [len(series.samples) for series in decoded.timeseries] == [1] * 4


def test_exemplars_are_beside_their_native_histogram():
    of = family("size", native=True)
    all_samples = family_samples(
        of, stream(a="1"), stream(a="2"), histograms=[NATIVE, NATIVE], exemplars={1: (exemplar(trace_id="aa"),)}
    )
    request = message(encoder(), all_samples)
    assert [len(series.exemplars) for series in request.timeseries] == [0, 1]
    assert labels_of(request, request.timeseries[1].exemplars[0].labels_refs) == {"trace_id": "aa"}


def test_what_exemplars_say_does_not_stay_in_the_table():
    encodes, of, streams = encoder(), family("hits"), [stream(job="shop")]
    known = {"", "__name__", "hits", "job", "shop"}
    for trace in ("aa", "bb", "cc"):
        exemplars = {0: (exemplar(trace_id=trace), exemplar(trace_id="always", job="hits"))}
        request = message(encodes, FamilySamples(of, streams, NOW, array("d", [1.0]), (), exemplars))
        assert set(request.symbols) == known | {"trace_id", trace, "always"}
    request = message(encodes, FamilySamples(of, streams, NOW, array("d", [1.0]), (), {}))
    assert set(request.symbols) == known


def test_strings_that_exemplars_brought_may_become_those_of_a_new_stream():
    encodes, of, first = encoder(), family("hits"), stream(job="shop")
    exemplars = {0: (exemplar(trace_id="aa"),)}
    message(encodes, family_samples(of, first, exemplars=exemplars))
    request = message(encodes, family_samples(of, first, stream(trace_id="aa"), exemplars=exemplars))
    assert [labels_of(request, series.labels_refs) for series in request.timeseries] == [
        {"__name__": "hits", "job": "shop"},
        {"__name__": "hits", "trace_id": "aa"},
    ]
    assert labels_of(request, request.timeseries[0].exemplars[0].labels_refs) == {"trace_id": "aa"}
    assert len(request.symbols) == 7


# --- export after export ---


def test_the_bytes_of_a_known_series_are_the_same_but_for_value_and_time():
    encodes, of, streams = encoder(), family("hits"), [stream(job="shop", start=START)]
    bodies = [
        next(encodes.encode([FamilySamples(of, streams, NOW + number, array("d", [number]), (), {})])).body
        for number in range(3)
    ]
    assert len(set(bodies)) == 3
    assert len({len(body) for body in bodies}) == 1
    assert len({body[:-16] for body in bodies}) == 1  # value and timestamp are the last


def test_a_stream_that_starts_anew_says_so():
    encodes, of = encoder(), family("hits")
    for start in (START, START + 1000):
        request = message(encodes, family_samples(of, stream(job="shop", start=start)))
        assert request.timeseries[0].samples[0].start_timestamp == start


def test_the_table_begins_anew_when_streams_are_replaced():
    encodes, of, stays = encoder(), family("hits"), stream(at="stays")
    sizes = []
    for number in range(200):
        passing = [stream(at=f"{number}-{each}") for each in range(10)]
        request = message(encodes, family_samples(of, stays, *passing))
        sizes.append(len(request.symbols))
        assert [labels_of(request, series.labels_refs)["at"] for series in request.timeseries] == [
            dict(each.labels)["at"] for each in (stays, *passing)
        ]
    assert max(sizes) <= 4 + 5 * 11  # what there is, and the same a few times over
    assert sizes[-1] < 2 * max(sizes[:5])


def test_the_table_begins_anew_when_most_streams_are_gone():
    encodes, of, stays = encoder(), family("hits"), stream(at="stays")
    message(encodes, family_samples(of, stays, *(stream(at=str(number)) for number in range(1000))))
    request = message(encodes, family_samples(of, stays))
    assert sorted(request.symbols) == ["", "__name__", "at", "hits", "stays"]


def test_the_strings_of_what_is_gone_leave_the_table_when_streams_no_longer_change():
    encodes, of, stays = encoder(), family("hits"), stream(at="stays")
    for number in range(3):
        streams = [stays, *(stream(at=f"{number}-{each}") for each in range(10))]
        changed = message(encodes, family_samples(of, *streams))
    assert {"0-0", "1-0", "2-0"} <= {*changed.symbols}
    settled = [message(encodes, family_samples(of, *streams)) for _ in range(3)]
    assert [len(request.symbols) for request in settled] == [len(changed.symbols) - 20] * 3
    for request in settled:
        found = [labels_of(request, series.labels_refs)["at"] for series in request.timeseries]
        assert found == [dict(each.labels)["at"] for each in streams]


def test_the_table_stays_as_it_is_while_streams_are_added():
    encodes, of = encoder(), family("hits")
    streams = []
    before = []
    for number in range(50):
        streams = [*streams, stream(at=str(number))]
        symbols = list(message(encodes, family_samples(of, *streams)).symbols)
        assert symbols[: len(before)] == before
        before = symbols


def test_streams_may_change_their_order():
    encodes, of, streams = encoder(), family("hits"), [stream(at="a"), stream(at="b")]
    for ordered in (streams, streams[::-1], streams):
        request = message(encodes, family_samples(of, *ordered))
        found = [labels_of(request, series.labels_refs)["at"] for series in request.timeseries]
        assert found == [dict(each.labels)["at"] for each in ordered]


def test_a_bucket_that_moves_leaves_nothing_of_itself():
    encodes, labels = encoder(), stream(job="shop")
    for bounds in (("1", "2"), ("1", "3"), ("4",), ()):
        request = message(encodes, family_samples(histogram_family("latency", *bounds), labels))
        found = [labels_of(request, series.labels_refs).get("le") for series in request.timeseries]
        assert found == [*bounds, "+Inf", None, None]


# --- both versions say the same, and what protobuf says ---

NAMES = st.sampled_from(["A", "__a", "_", "a", "code", "ke", "le1", "lf", "zone", "é", "\N{PILE OF POO}"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.just("x" * 200)
LABELS = st.dictionaries(NAMES, TEXTS, max_size=4).map(lambda labels: tuple(sorted(labels.items())))
TIMES = st.integers(0, (1 << 42) - 1)
FLOATS = st.floats()
EXEMPLARS = st.lists(st.builds(Exemplar, LABELS, FLOATS, TIMES), min_size=1, max_size=2).map(tuple)
BOUNDS = st.lists(st.sampled_from(["0.5", "1", "2.5", "10"]), unique=True, max_size=3).map(sorted)


@st.composite
def native_histograms(draw):
    positive = draw(st.lists(st.integers(0, 1 << 40), max_size=4))
    deltas = tuple(after - before for before, after in zip([0, *positive], positive, strict=False))
    return NATIVE._replace(
        count=7 + sum(positive),
        sum=draw(FLOATS),
        schema=draw(st.integers(-4, 8)),
        positive_spans=(Span(draw(st.integers(-9, 9)), len(deltas)),) if deltas else (),
        positive_deltas=deltas,
    )


@st.composite
def families(draw, number):
    name = f"family_{number}"
    help_, unit = draw(TEXTS | st.just("")), draw(st.sampled_from(["", "seconds", "a"]))
    kind = draw(st.sampled_from(["gauge", "counter", "classic", "native"]))
    if kind == "classic":
        return histogram_family(name, *draw(BOUNDS), help_=help_, unit=unit)
    type_ = {"gauge": MetricType.GAUGE, "counter": MetricType.COUNTER, "native": MetricType.HISTOGRAM}[kind]
    return family(name, type_=type_, help_=help_, unit=unit, native=kind == "native")


@st.composite
def exports(draw):
    """Some exports, of which each changes something about the one before: streams, starts, bounds, families."""
    current: dict[int, tuple[Family, list[Stream]]] = {}
    all_exports = []
    for _ in range(draw(st.integers(1, 5))):
        for number in range(3):
            change = draw(st.sampled_from(["none", "streams", "order", "starts", "begin anew", "go"]))
            of, streams = current.get(number, (None, []))
            if change == "go":
                current.pop(number, None)
            elif of is None or change == "begin anew":
                of = draw(families(number))
                labels = draw(st.lists(LABELS, unique=True, min_size=1, max_size=4))
                current[number] = (of, [Stream(each, draw(TIMES), 0) for each in labels])
            elif change == "streams":
                kept = [each for each in streams if draw(st.booleans())]
                new = set(draw(st.lists(LABELS, max_size=2))) - {each.labels for each in kept}
                changed = draw(st.permutations(kept + [Stream(each, draw(TIMES), 0) for each in sorted(new)]))
                current[number] = (of, changed or streams)
            elif change == "order":
                current[number] = (of, draw(st.permutations(streams)))
            elif change == "starts":
                current[number] = (
                    of,
                    [Stream(each.labels, draw(TIMES), 0) if draw(st.booleans()) else each for each in streams],
                )
        all_exports.append([draw(samples_of(of, streams)) for of, streams in current.values()])
    return all_exports


@st.composite
def samples_of(draw, of, streams):
    samples = len(streams) * len(of.names)
    times = draw(TIMES | st.lists(TIMES, min_size=len(streams), max_size=len(streams)))
    values = [] if of.native else draw(st.lists(FLOATS, min_size=samples, max_size=samples))
    histograms = [draw(native_histograms()) for _ in streams] if of.native else ()
    exemplars = draw(st.dictionaries(st.integers(0, samples - 1), EXEMPLARS, max_size=2))
    return FamilySamples(of, streams, times, array("d", values), histograms, exemplars)


@given(exports(), st.sampled_from([1, 3, 7, 2000]))
def test_both_versions_say_what_protobuf_says_whatever_changes_between_exports(all_exports, max_samples):
    new, old = encoder(PROTOCOL_2, max_samples), encoder(PROTOCOL_1, max_samples)
    for all_samples in all_exports:
        series = read(all_samples)
        in_new, in_old = decoded(new.encode(all_samples)), decoded(old.encode(all_samples))
        assert in_new == decoded_message(PROTOCOL_2, plainly_in_2_0(series))
        assert in_old == decoded_message(PROTOCOL_1, plainly_in_1_0(series))
        assert {labels: said[:-2] for labels, said in in_new.items()} == {
            labels: said[:-2] for labels, said in in_old.items()
        }
        assert len(in_new) == len(series)


def decoded(requests):
    found = {}
    for request in requests:
        for labels, said in decoded_message(request.protocol, request.body).items():
            assert labels not in found, f"twice: {labels}"
            found[labels] = said
    return found


def decoded_message(protocol, body):
    """What is said of each series: samples, histograms, exemplars; at last, what only 2.0 has: starts and metadata."""
    return {
        series.labels: (
            [(bits(each.value), each.timestamp) for each in series.samples],
            # A NaN equals nothing, and hardly anything but a NaN reads "nan".
            [repr(each).replace(f"start_timestamp={each.start_timestamp}", "") for each in series.histograms],
            [(each.labels, bits(each.value), each.timestamp) for each in series.exemplars],
            [each.start_timestamp for each in series.samples + series.histograms],
            series.metadata,
        )
        for series in decode(protocol, body).series
    }


def bits(value):
    return struct.pack("<d", value)


def in_order(series):
    return sorted(series.labels.items())


def plainly_in_1_0(all_series):
    """One message, as a sender that knows no better builds it."""
    request = v1.WriteRequest()
    for series in all_series:
        message = request.timeseries.add()
        for name, text in in_order(series):
            message.labels.add(name=name, value=text)
        if isinstance(series.value, NativeHistogram):
            message.histograms.append(plain_histogram(v1, series.value, timestamp=series.timestamp))
        else:
            message.samples.add(value=series.value, timestamp=series.timestamp)
        for each in series.exemplars:
            labels = [v1.Label(name=name, value=text) for name, text in each.labels]
            message.exemplars.add(labels=labels, value=each.value, timestamp=each.timestamp)
    return request.SerializeToString()


def plainly_in_2_0(all_series):
    symbols = [""]

    def reference(text):
        if text not in symbols:
            symbols.append(text)
        return symbols.index(text)

    request = v2.Request()
    for series in all_series:
        message = request.timeseries.add()
        message.labels_refs.extend(reference(text) for label in in_order(series) for text in label)
        times = {"timestamp": series.timestamp, "start_timestamp": series.start}
        if isinstance(series.value, NativeHistogram):
            message.histograms.append(plain_histogram(v2, series.value, **times))
        else:
            message.samples.add(value=series.value, **times)
        for each in series.exemplars:
            references = [reference(text) for label in each.labels for text in label]
            message.exemplars.add(labels_refs=references, value=each.value, timestamp=each.timestamp)
        message.metadata.type = int(series.metadata.type)
        message.metadata.help_ref = reference(series.metadata.help)
        message.metadata.unit_ref = reference(series.metadata.unit)
    request.symbols.extend(symbols)
    return request.SerializeToString()


def plain_histogram(version, histogram, **times):
    return version.Histogram(
        count_int=histogram.count,
        sum=histogram.sum,
        schema=histogram.schema,
        zero_threshold=histogram.zero_threshold,
        zero_count_int=histogram.zero_count,
        negative_spans=[
            version.BucketSpan(offset=span.offset, length=span.length) for span in histogram.negative_spans
        ],
        negative_deltas=histogram.negative_deltas,
        positive_spans=[
            version.BucketSpan(offset=span.offset, length=span.length) for span in histogram.positive_spans
        ],
        positive_deltas=histogram.positive_deltas,
        custom_values=histogram.custom_bounds,
        **times,
    )
