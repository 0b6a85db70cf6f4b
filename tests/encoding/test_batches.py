from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.encoding.batches import Batches
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_1 import RemoteWrite1
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_2 import RemoteWrite2
from opentelemetry.exporter.prometheus_remote_write.model.family import Family, SeriesName
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import (
    Exemplar,
    Metadata,
    MetricType,
    NativeHistogram,
)
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from tests.collected import NOW
from tests.encoding.exports import expected, floats, found, gauge_family, sequences, streams
from tests.thoroughness import scaled

ENCODERS = {"1.0": RemoteWrite1, "2.0": RemoteWrite2}
LEVEL = gauge_family()
EMPTY = NativeHistogram(0, 0.0, 0, 1e-128, 0, (), (), (), ())


def wide(name, width):
    """A family whose streams have many series."""
    names = tuple(SeriesName(f"{name}_bucket", str(le)) for le in range(width))
    return Family(name, Metadata(name, MetricType.HISTOGRAM, "", ""), names)


def native(name="size"):
    return gauge_family(name, native=True)


def natives(family, its_streams):
    return floats(family, its_streams, histograms=[EMPTY] * len(its_streams))._replace(values=floats(LEVEL, []).values)


def places(loads):
    """Which request each series is in."""
    return {
        series.labels: number
        for number, load in enumerate(loads)
        for series in decode("1.0", b"".join(load.pieces)).series
    }


def companions(loads):
    """The labels that travel together."""
    return {frozenset(series.labels for series in decode("1.0", b"".join(load.pieces)).series) for load in loads}


@pytest.mark.parametrize("protocol", ENCODERS)
@settings(max_examples=scaled(50))
@given(sequences(), st.sampled_from([1, 2, 3, 5, 100]))
def test_all_requests_together_say_what_the_family_samples_say(protocol, exports, max_samples):
    batches = Batches(ENCODERS[protocol], max_samples)
    for all_samples in exports:
        loads = list(batches.encode(all_samples))
        in_requests = [decode(protocol, b"".join(load.pieces)).series for load in loads]
        everything = [series for request in in_requests for series in request]
        assert found(everything) == expected(all_samples, protocol)

        twice = [labels for labels, times in Counter(series.labels for series in everything).items() if times > 1]
        assert not twice

        for load, all_series in zip(loads, in_requests, strict=True):
            assert load.samples == sum(len(series.samples) for series in all_series)
            assert load.histograms == sum(len(series.histograms) for series in all_series)
            assert load.exemplars == sum(len(series.exemplars) for series in all_series)
            assert not (load.samples and load.histograms)
            streams_in_it = {
                tuple(label for label in series.labels if label[0] not in {"__name__", "le"}) for series in all_series
            }
            if load.samples + load.histograms > max_samples:
                assert len(streams_in_it) == 1  # a stream that is larger by itself


@settings(max_examples=scaled(50))
@given(sequences(max_exports=8), st.sampled_from([1, 2, 5]))
def test_nothing_is_kept_of_streams_that_are_gone(exports, max_samples):
    batches = Batches(RemoteWrite1, max_samples)
    for all_samples in exports:
        list(batches.encode(all_samples))
    assert list(batches.encode([])) == []
    assert not batches._placements
    rooms = [room for rooms in batches._open.values() for room in rooms]
    assert not any(room.samples for room in rooms)
    assert not any(room.batch._held for room in rooms)


def test_requests_are_filled_up_to_the_maximum():
    loads = list(Batches(RemoteWrite1, 10).encode([floats(LEVEL, streams(*range(25)))]))
    assert [load.samples for load in loads] == [10, 10, 5]


def test_a_request_holds_several_families():
    loads = list(Batches(RemoteWrite1, 10).encode([floats(gauge_family(name), streams("a")) for name in "abc"]))
    assert [load.samples for load in loads] == [3]


def test_a_stream_is_never_split():
    loads = list(Batches(RemoteWrite1, 10).encode([floats(wide("latency", 4), streams("a", "b", "c"))]))
    assert [load.samples for load in loads] == [8, 4]


def test_a_stream_that_is_larger_than_a_request_has_one_for_itself():
    all_samples = [floats(LEVEL, streams("a")), floats(wide("latency", 12), streams("a", "b")), floats(native(), [])]
    loads = list(Batches(RemoteWrite1, 10).encode(all_samples[:2]))
    assert sorted(load.samples for load in loads) == [1, 12, 12]


def test_native_histograms_travel_apart():
    loads = list(Batches(RemoteWrite1, 10).encode([floats(LEVEL, streams("a")), natives(native(), streams("a", "b"))]))
    assert [(load.samples, load.histograms) for load in loads] == [(1, 0), (0, 2)]


def test_a_stream_keeps_its_request_while_others_come_and_go():
    batches = Batches(RemoteWrite1, 4)
    those = streams(*range(12))
    before = companions(batches.encode([floats(LEVEL, those)]))
    assert len(before) == 3
    assert companions(batches.encode([floats(LEVEL, those)])) == before
    assert companions(batches.encode([floats(LEVEL, those[::-1])])) == before

    gone = {(("__name__", "level"), *stream.labels) for stream in those[::5]}
    left = [stream for stream in those if stream not in those[::5]]
    after = companions(batches.encode([floats(LEVEL, left)]))
    assert after == {together - gone for together in before}


def test_new_streams_take_the_places_of_those_that_went():
    batches = Batches(RemoteWrite1, 4)
    those = streams(*range(12))
    list(batches.encode([floats(LEVEL, those)]))
    renewed = [*those[3:], *streams("new 1", "new 2", "new 3")]
    loads = list(batches.encode([floats(LEVEL, renewed)]))
    assert sorted(load.samples for load in loads) == [4, 4, 4]


def test_a_family_that_is_away_for_an_export_is_sent_when_it_is_back():
    batches = Batches(RemoteWrite1, 4)
    family_samples, other = floats(LEVEL, streams("a", "b")), floats(gauge_family("other"), streams("a"))
    list(batches.encode([family_samples, other]))
    assert [load.samples for load in batches.encode([other])] == [1]
    [load] = batches.encode([family_samples, other])
    assert found(decode("1.0", b"".join(load.pieces)).series) == expected([family_samples, other], "1.0")


def test_exemplars_go_with_their_series_into_its_request():
    exemplars = {place: (Exemplar((), float(place), NOW),) for place in (0, 5, 11)}
    family_samples = floats(wide("latency", 4), streams("a", "b", "c"), exemplars=exemplars)
    loads = list(Batches(RemoteWrite1, 4).encode([family_samples]))
    assert [load.exemplars for load in loads] == [1, 1, 1]
    everything = [series for load in loads for series in decode("1.0", b"".join(load.pieces)).series]
    assert found(everything) == expected([family_samples], "1.0")


def test_the_number_of_requests_shrinks_with_the_streams():
    batches = Batches(RemoteWrite1, 10)
    assert len(list(batches.encode([floats(LEVEL, streams(*range(1000)))]))) == 100
    few = streams("a")
    for _ in range(2):
        assert len(list(batches.encode([floats(LEVEL, few)]))) == 1


@pytest.mark.parametrize("protocol", ENCODERS)
@pytest.mark.parametrize("series", [1, 5])
def test_a_request_stays_far_below_what_receivers_read_however_long_the_labels_are(protocol, series):
    many = streams(*("\N{EURO SIGN}" * 7000 + str(number) for number in range(1500 // series)))  # 21 kB each
    family = wide("size", series)
    loads = list(Batches(ENCODERS[protocol], 10_000).encode([floats(family, many)]))
    assert max(sum(map(len, load.pieces)) for load in loads) < 8 * 1024 * 1024
    assert sum(load.samples for load in loads) == 1500


def test_long_labels_that_are_gone_make_room():
    batches = Batches(RemoteWrite1, 10_000)
    for number in range(10):
        loads = list(batches.encode([floats(LEVEL, streams("x" * 1_500_000 + str(number), "y" * 1_500_000))]))
        assert len(loads) == 1


@pytest.mark.parametrize("series", [1, 5])
def test_long_labels_that_are_gone_make_room_beside_a_stream_that_stays(series):
    batches = Batches(RemoteWrite1, 10_000)
    family = wide("size", series)
    [stays] = streams("stays")
    for number in range(10):
        come = streams(*(letter * (1_500_000 // series) + str(number) for letter in "xy"))
        assert len(list(batches.encode([floats(family, [stays, *come])]))) == 1


def test_streams_stay_in_their_requests_when_their_order_changes_and_one_goes():
    batches = Batches(RemoteWrite1, 2)
    a, b, c, d = streams(*"abcd")
    list(batches.encode([floats(LEVEL, [a, b, c, d])]))
    list(batches.encode([floats(LEVEL, [a, c, b, d])]))
    together = companions(batches.encode([floats(LEVEL, [a, c, b])]))
    assert sorted(sorted(dict(labels)["at"] for labels in request) for request in together) == [["a", "b"], ["c"]]


def test_streams_stay_in_their_requests_when_the_first_goes():
    batches = Batches(RemoteWrite1, 2)
    a, b, c, d = streams(*"abcd")
    for present, requests in (([a, b, c, d], ["ab", "cd"]), ([b, c, d], ["b", "cd"]), ([b, d], ["b", "d"])):
        together = companions(batches.encode([floats(LEVEL, present)]))
        assert sorted("".join(sorted(dict(labels)["at"] for labels in request)) for request in together) == requests
