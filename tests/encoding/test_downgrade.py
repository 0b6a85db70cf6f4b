"""What was encoded as 2.0 says as 1.0 what the same family samples say when they are encoded as 1.0."""

import struct

import pytest
from hypothesis import given, settings
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
from opentelemetry.exporter.prometheus_remote_write.encoding.downgrade import downgraded
from opentelemetry.exporter.prometheus_remote_write.encoding.encoder import Encoder
from opentelemetry.exporter.prometheus_remote_write.encoding.parts import encoded
from opentelemetry.exporter.prometheus_remote_write.model.request import Request
from opentelemetry.exporter.prometheus_remote_write.proto import write_v2_pb2
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from opentelemetry.exporter.prometheus_remote_write.receiver.validation import Rules
from opentelemetry.exporter.prometheus_remote_write.system.time_slice import TimeSlice
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from tests.collected import NOW
from tests.encoding.exports import comparable, expected, found, sequences
from tests.thoroughness import scaled

COMPRESS = compressor()


def requests(protocol, all_samples):
    return [each for each in Encoder(protocol, 1000, COMPRESS).encode(all_samples) if each.size]


def downgraded_series(all_samples):
    made = [downgraded(request, COMPRESS) for request in requests("2.0", all_samples)]
    all_series = []
    for request in made:
        assert request.protocol == "1.0"
        message = decode("1.0", decompress(request.body, 1 << 30))
        assert request.samples == sum(len(each.samples) for each in message.series)
        assert request.histograms == sum(len(each.histograms) for each in message.series)
        assert request.exemplars == sum(len(each.exemplars) for each in message.series)
        all_series += message.series
    return all_series


@settings(max_examples=scaled(80))
@given(sequences(max_exports=2))
def test_a_request_says_the_same_as_1_0(exports):
    for all_samples in exports:
        assert found(downgraded_series(all_samples)) == expected(all_samples, "1.0")


def test_the_batch_stays():
    (one,) = requests("2.0", collected(lambda meter: meter.create_counter("c").add(1)))[:1]
    assert downgraded(one, COMPRESS).batch == one.batch


def collected(record, *, custom_buckets=False):
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], exemplar_filter=AlwaysOnExemplarFilter())
    record(provider.get_meter("shop"))
    translator = Translator(Settings(), DroppedPoints(), resources_as_labels=False, custom_buckets=custom_buckets)
    data = reader.get_metrics_data()
    provider.shutdown()
    return both(translator, data) if custom_buckets else list(translator.translate(data))


def both(translator, data):
    plain = Translator(Settings(), DroppedPoints(), resources_as_labels=False, custom_buckets=False)
    return list(translator.translate(data)), list(plain.translate(data))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([0.3, 7, 20, 20, 1e9], id="some buckets"),
        pytest.param([0], id="the first alone"),
        pytest.param([1e9], id="the last alone"),
        pytest.param([3, 9000], id="far apart"),
        pytest.param([5, 10, 25], id="on the bounds"),
    ],
)
def test_custom_buckets_become_a_classic_histogram(values):
    def record(meter):
        histogram = meter.create_histogram("size")
        for value in values:
            histogram.record(value, {"at": "a"})

    native, classic = collected(record, custom_buckets=True)
    series = downgraded_series(native)
    assert any(each.histograms for request in requests("2.0", native) for each in decoded(request))
    assert found(series) == expected(classic, "1.0")
    for request in requests("2.0", native):
        decode("1.0", decompress(downgraded(request, COMPRESS).body, 1 << 30), Rules("1.0").check)
    assert sum(len(comparable(each)[3]) for each in series) > 0


def test_the_end_of_custom_buckets_is_the_end_of_all_series_of_the_classic_histogram():
    stale = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
    message = write_v2_pb2.Request(symbols=["", "__name__", "size"])
    series = message.timeseries.add(labels_refs=[1, 2])
    series.histograms.add(schema=-53, custom_values=[1, 2], sum=stale, timestamp=NOW)
    request = encoded(message.timeseries, Request(b"", "2.0", 0, 0, 0), COMPRESS, TimeSlice(), message.symbols)
    made = downgraded(request, COMPRESS)
    samples = [sample for each in decoded(made) for sample in each.samples]
    assert len(samples) == 5  # three buckets, the sum, the count
    assert {struct.pack("<d", sample.value) for sample in samples} == {struct.pack("<d", stale)}


def decoded(request):
    return decode(request.protocol, decompress(request.body, 1 << 30)).series
