import pytest

from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_1 import RemoteWrite1, metadata_messages
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import (
    Exemplar,
    Metadata,
    MetricType,
    NativeHistogram,
    Span,
)
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from tests.collected import NOW


def test_a_native_histogram_has_all_its_fields():
    histogram = NativeHistogram(
        count=9,
        sum=-2.5,
        schema=-4,
        zero_threshold=1e-3,
        zero_count=2,
        negative_spans=(Span(-7, 1),),
        negative_deltas=(3,),
        positive_spans=(Span(0, 1), Span(4, 2)),
        positive_deltas=(1, 1, -1),
    )
    series = v1.TimeSeries.FromString(RemoteWrite1().histogram(histogram, 5, NOW))
    assert series.histograms[:] == [
        v1.Histogram(
            count_int=9,
            sum=-2.5,
            schema=-4,
            zero_threshold=1e-3,
            zero_count_int=2,
            negative_spans=[v1.BucketSpan(offset=-7, length=1)],
            negative_deltas=[3],
            positive_spans=[v1.BucketSpan(offset=0, length=1), v1.BucketSpan(offset=4, length=2)],
            positive_deltas=[1, 1, -1],
            timestamp=NOW,
        )
    ]


def test_an_empty_native_histogram_says_so():
    empty = NativeHistogram(0, 0.0, 0, 1e-128, 0, (), (), (), ())
    [histogram] = v1.TimeSeries.FromString(RemoteWrite1().histogram(empty, 0, NOW)).histograms
    assert histogram.WhichOneof("count") == "count_int"
    assert histogram.WhichOneof("zero_count") == "zero_count_int"


def test_exemplars_have_labels_a_value_and_a_time():
    exemplars = [Exemplar((("trace_id", "ab"), ("user", "ü")), 0.5, NOW), Exemplar((), 1.5, NOW + 1)]
    assert v1.TimeSeries.FromString(RemoteWrite1().exemplars(exemplars)).exemplars[:] == [
        v1.Exemplar(
            labels=[v1.Label(name="trace_id", value="ab"), v1.Label(name="user", value="ü")], value=0.5, timestamp=NOW
        ),
        v1.Exemplar(value=1.5, timestamp=NOW + 1),
    ]


def metadata(families, most=2000):
    """What each message says of families."""
    messages = [v1.WriteRequest.FromString(b"".join(pieces)) for pieces in metadata_messages(families, most)]
    assert not any(message.timeseries for message in messages)
    return [message.metadata[:] for message in messages]


def gauges(number, description=""):
    return [Metadata(f"level_{at}", MetricType.GAUGE, description, "") for at in range(number)]


@pytest.mark.parametrize("type_", MetricType)
def test_metadata_has_type_help_and_unit(type_):
    assert metadata([Metadata("hits_total", type_, "Hits.", "bytes")]) == [
        [v1.MetricMetadata(type=type_.name, metric_family_name="hits_total", help="Hits.", unit="bytes")]
    ]


def test_of_two_families_with_one_name_the_first_counts():
    both = [Metadata("a", MetricType.GAUGE, "one", ""), Metadata("a", MetricType.COUNTER, "other", "")]
    [[only]] = metadata(both)
    assert (only.type, only.help) == (v1.MetricMetadata.GAUGE, "one")


@pytest.mark.parametrize(
    ("families", "sizes"),
    [
        pytest.param(gauges(0), [], id="no families"),
        pytest.param(gauges(5), [5], id="as many as one message holds"),
        pytest.param(gauges(6), [5, 1], id="one more"),
        pytest.param(gauges(5, "x" * 400_000), [2, 2, 1], id="long descriptions"),
        pytest.param(gauges(3, "x" * 2_000_000), [1, 1, 1], id="descriptions that are longer than a message should be"),
    ],
)
def test_metadata_comes_in_messages_of_a_bounded_size(families, sizes):
    found = metadata(families, most=5)
    assert list(map(len, found)) == sizes
    assert [each.metric_family_name for message in found for each in message] == [each.family for each in families]
