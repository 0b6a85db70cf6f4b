import pytest

from opentelemetry.exporter.prometheus_remote_write.encoding.batch import Batch
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_1 import RemoteWrite1
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_2 import RemoteWrite2
from opentelemetry.exporter.prometheus_remote_write.encoding.series_prefix import family_constants, prefixes
from opentelemetry.exporter.prometheus_remote_write.model.family import Family, SeriesName
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Metadata, MetricType
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from tests.encoding.exports import floats, stream

ENCODERS = {"1.0": RemoteWrite1, "2.0": RemoteWrite2}
LATENCY = Family(
    "latency",
    Metadata("latency", MetricType.HISTOGRAM, "How long", "seconds"),
    (SeriesName("latency_bucket", "0.5"), SeriesName("latency_bucket", "+Inf"), SeriesName("latency_sum")),
)


@pytest.mark.parametrize("protocol", ENCODERS)
@pytest.mark.parametrize(
    "own",
    [
        pytest.param((), id="no labels of its own"),
        pytest.param((("job", "shop"),), id="one between __name__ and le"),
        pytest.param((("A", "1"), ("Z", "2"), ("__nam", "3")), id="some before __name__"),
        pytest.param((("__name__x", "1"), ("a", "2"), ("ld", "3")), id="some right after __name__ and right before le"),
        pytest.param((("lea", "1"), ("lf", "2"), ("ü", "3")), id="some after le"),
        pytest.param((("A", "1"), ("job", "2"), ("z", "3")), id="some everywhere"),
        pytest.param((("a", "x" * 200), ("z", "y" * 20_000)), id="long ones"),
    ],
)
def test_labels_are_in_the_order_of_the_bytes_of_their_names(protocol, own):
    message = b"".join(Batch(ENCODERS[protocol]).encode([floats(LATENCY, [stream(own)])]))
    first, last, total = (series.labels for series in decode(protocol, message).series)
    assert list(first) == sorted([*own, ("__name__", "latency_bucket"), ("le", "0.5")], key=_bytes_of_name)
    assert list(last) == sorted([*own, ("__name__", "latency_bucket"), ("le", "+Inf")], key=_bytes_of_name)
    assert list(total) == sorted([*own, ("__name__", "latency_sum")], key=_bytes_of_name)


def _bytes_of_name(label):
    return label[0].encode()


def test_the_series_of_a_histogram_share_what_is_long():
    encoder = RemoteWrite1()
    names = tuple(SeriesName("latency_bucket", str(bound)) for bound in range(100, 200))
    family = Family("latency", LATENCY.metadata, names)
    pieces = prefixes(encoder, family_constants(encoder, family), stream((("a", "x" * 1000), ("z", "y" * 1000))))
    assert sum({id(piece): len(piece) for piece in pieces}.values()) < 2 * 1000 + 100 * 20


@pytest.mark.parametrize("protocol", ENCODERS)
def test_after_each_prefix_there_is_room_for_a_value_and_a_suffix(protocol):
    encoder = ENCODERS[protocol]()
    constants = family_constants(encoder, LATENCY)
    pieces = prefixes(encoder, constants, stream((("job", "shop"),)))
    assert len(pieces) == len(LATENCY.names) * constants.step
    for series in range(len(LATENCY.names)):
        *prefix, value, suffix = pieces[series * constants.step : (series + 1) * constants.step]
        assert b"".join(prefix)
        assert (value, suffix) == (b"", b"")
