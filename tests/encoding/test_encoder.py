import pytest
import snappy

from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import HEADERS, Encoder
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from tests.collected import NOW
from tests.encoding.exports import expected, floats, found, gauge_family, streams

LEVEL = gauge_family()
OTHER = gauge_family("other")


class Clock:
    """Seconds that go up when the test says so."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def families(requests):
    """The families of each request that brings metadata."""
    messages = [v1.WriteRequest.FromString(request.body) for request in requests]
    return [[each.metric_family_name for each in message.metadata] for message in messages if message.metadata]


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_a_request_says_what_it_holds(protocol):
    family_samples = floats(LEVEL, streams("a", "b"), exemplars={1: (Exemplar((), 1.0, NOW),)})
    request = next(iter(Encoder(protocol, 2000, compressor()).encode([family_samples])))
    assert request.protocol == protocol
    assert (request.samples, request.histograms, request.exemplars) == (2, 0, 1)
    assert found(decode(protocol, snappy.uncompress(request.body)).series) == expected([family_samples], protocol)


def test_headers_are_those_of_the_protocol():
    assert HEADERS == {
        "1.0": {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        },
        "2.0": {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "X-Prometheus-Remote-Write-Version": "2.0.0",
        },
    }


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_nothing_to_send_is_no_request(protocol):
    assert list(Encoder(protocol, 2000, b"".join).encode([])) == []


def test_metadata_of_1_0_comes_at_first_and_every_minute_in_a_request_of_its_own(clock):
    encoder = Encoder("1.0", 2000, b"".join, clock=clock)
    all_samples = [floats(LEVEL, streams("a")), floats(OTHER, streams("a"))]

    first = list(encoder.encode(all_samples))
    assert [(request.samples, request.histograms) for request in first] == [(2, 0), (0, 0)]
    assert families(first) == [["level", "other"]]

    for seconds in (0.1, 30.0, 59.8):
        clock.now = 1000.0 + seconds
        assert families(encoder.encode(all_samples)) == []
    clock.now = 1060.0
    assert families(encoder.encode(all_samples)) == [["level", "other"]]
    assert families(encoder.encode(all_samples)) == []


def test_metadata_of_1_0_is_divided_like_samples(clock):
    encoder = Encoder("1.0", 3, b"".join, clock=clock)
    all_samples = [floats(gauge_family(f"level_{number}"), streams("a")) for number in range(7)]
    assert list(map(len, families(encoder.encode(all_samples)))) == [3, 3, 1]


def test_metadata_of_1_0_waits_for_something_to_say(clock):
    encoder = Encoder("1.0", 2000, b"".join, clock=clock)
    assert list(encoder.encode([])) == []
    assert families(encoder.encode([floats(LEVEL, streams("a"))])) == [["level"]]


def test_metadata_of_2_0_is_in_each_series():
    [request] = Encoder("2.0", 2000, b"".join).encode([floats(LEVEL, streams("a", "b"))])
    assert [series.metadata.type for series in decode("2.0", request.body).series] == ["gauge", "gauge"]
