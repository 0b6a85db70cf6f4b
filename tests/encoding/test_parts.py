"""Requests taken apart and put together anew hold what they held before."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor, stored
from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import Encoder
from opentelemetry.exporter.prometheus_remote_write.encoding.parts import parts
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from tests.encoding.exports import comparable, expected, floats, found, gauge_family, sequences, streams
from tests.thoroughness import scaled

COMPRESS = compressor()


def requests(protocol, all_samples, max_samples=1000):
    return [each for each in Encoder(protocol, max_samples, COMPRESS).encode(all_samples) if each.size]


def series(request):
    return decode(request.protocol, decompress(request.body, 1 << 30)).series


def metadata(all_series):
    return sorted((each.labels, each.metadata) for each in all_series)


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@settings(max_examples=scaled(60))
@given(sequences(max_exports=1), st.integers(0, 100))
def test_two_parts_hold_together_what_the_whole_holds(protocol, exports, at):
    for whole in requests(protocol, exports[0]):
        content = parts(whole)
        place = at % (len(content.series) + 1)
        halves = [
            content.only(range(place), COMPRESS),
            content.only(range(place, len(content.series)), COMPRESS),
        ]
        for field in ("samples", "histograms", "exemplars"):
            assert sum(getattr(half, field) for half in halves) == getattr(whole, field)
        assert {half.batch for half in halves} == {whole.batch}
        assert {half.protocol for half in halves} == {protocol}
        together = [each for half in halves for each in series(half)]
        assert list(map(comparable_whole, together)) == list(map(comparable_whole, series(whole)))
        assert metadata(together) == metadata(series(whole))


def comparable_whole(each):
    labels, samples, _, exemplars = comparable(each)
    return labels, samples, repr(each.histograms), exemplars


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@settings(max_examples=scaled(30))
@given(sequences(max_exports=1))
def test_all_of_a_request_is_the_request(protocol, exports):
    everything = [
        each
        for request in requests(protocol, exports[0])
        for each in series(parts(request).only(range(len(parts(request).series)), COMPRESS))
    ]
    assert found(everything) == expected(exports[0], protocol)


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@settings(max_examples=scaled(30))
@given(sequences(max_exports=1))
def test_labels_are_those_of_the_series_in_either_protocol(protocol, exports):
    for request in requests(protocol, exports[0]):
        assert parts(request).labels() == [each.labels for each in series(request)]


def test_a_part_of_2_0_brings_only_its_own_strings():
    (whole,) = requests("2.0", [floats(gauge_family(), streams(*("x" * 1000 + str(number) for number in range(50))))])
    one = parts(whole).only([3], COMPRESS)
    assert len(decompress(one.body, 1 << 30)) < len(decompress(whole.body, 1 << 30)) / 20


def test_what_was_stored_uncompressed_can_be_taken_apart():
    (whole,) = requests("1.0", [floats(gauge_family(), streams("a", "b"))])
    body = stored(decompress(whole.body, 1 << 30))
    assert parts(whole._replace(body=body)).labels() == parts(whole).labels()
