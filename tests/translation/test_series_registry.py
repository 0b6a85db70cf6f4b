import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.model.family import Family, SeriesName
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Metadata, MetricType
from opentelemetry.exporter.prometheus_remote_write.translation.series_limit import SeriesUsage
from opentelemetry.exporter.prometheus_remote_write.translation.series_registry import SeriesRegistry

SHOP = (("job", "shop"),)


def gauge(name, metric=""):
    return Family(metric or name, Metadata(name, MetricType.GAUGE, "", ""), (SeriesName(name),))


def histogram(name, *bounds, metric=""):
    buckets = [SeriesName(f"{name}_bucket", bound) for bound in (*bounds, "+Inf")]
    names = (*buckets, SeriesName(f"{name}_sum"), SeriesName(f"{name}_count"))
    return Family(metric or name, Metadata(name, MetricType.HISTOGRAM, "", ""), names)


def bucket(le):
    return (("job", "shop"), ("le", le))


LATENCY = histogram("latency", "1", "2", metric="http.latency")
ROOMS = histogram("rooms", "1")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((gauge("a"), SHOP), (gauge("a"), SHOP), id="one name from two metrics"),
        pytest.param((LATENCY, SHOP), (histogram("latency", "5"), SHOP), id="histograms with other bounds"),
        pytest.param((LATENCY, SHOP), (gauge("latency_count"), SHOP), id="a gauge called as a histogram's count"),
        pytest.param((LATENCY, SHOP), (gauge("latency_sum"), SHOP), id="a gauge called as a histogram's sum"),
        pytest.param((LATENCY, SHOP), (gauge("latency_bucket"), bucket("2")), id="a gauge with the le of a bucket"),
        pytest.param((LATENCY, SHOP), (gauge("latency_bucket"), bucket("+Inf")), id="a gauge with the last le"),
        pytest.param(
            (histogram("latency", "1"), (("z", "1"),)),
            (gauge("latency_bucket"), (("le", "1"), ("z", "1"))),
            id="a bucket whose le comes first among its labels",
        ),
    ],
)
def test_a_series_belongs_to_the_first_that_claims_it_until_it_is_released(first, second):
    for keeper, other in ((first, second), (second, first)):
        registry = SeriesRegistry()
        registry.register(*keeper)
        with pytest.raises(Untranslatable, match="only one is sent") as refusal:
            registry.register(*other)
        assert refusal.value.reason == "duplicate"

        registry.release_all(keeper[0], [keeper[1]])
        registry.register(*other)
        with pytest.raises(Untranslatable):
            registry.register(*keeper)


@pytest.mark.parametrize(
    "registered",
    [
        pytest.param([(gauge("a"), SHOP), (gauge("b"), SHOP)], id="other names"),
        pytest.param([(gauge("a"), SHOP), (gauge("a"), ())], id="other labels"),
        pytest.param([(LATENCY, SHOP), (ROOMS, SHOP)], id="two histograms"),
        pytest.param([(LATENCY, SHOP), (LATENCY, ())], id="two streams of a histogram"),
        pytest.param([(LATENCY, SHOP), (gauge("latency"), SHOP)], id="a gauge called as a classic histogram"),
        pytest.param([(LATENCY, SHOP), (gauge("latency_bucket"), SHOP)], id="a gauge called as buckets, without le"),
        pytest.param([(LATENCY, SHOP), (gauge("latency_bucket"), bucket("3"))], id="a gauge with the le of no bucket"),
        pytest.param([(LATENCY, SHOP), (gauge("latency_sum"), bucket("1"))], id="a gauge called as a sum, with le"),
        pytest.param([(gauge("a"), SHOP), (gauge("a"), bucket("1"))], id="gauges with and without le"),
    ],
)
def test_series_that_differ_have_an_owner_each(registered):
    for order in (registered, registered[::-1]):
        registry = SeriesRegistry()
        for family, labels in order:
            registry.register(family, labels)
        assert registry.usage.size == sum(len(family.names) for family, _ in order)


def test_a_claim_that_is_refused_takes_nothing():
    registry = SeriesRegistry()
    registry.register(gauge("latency_count"), SHOP)
    with pytest.raises(Untranslatable):
        registry.register(LATENCY, SHOP)
    registry.register(gauge("latency_sum"), SHOP)


def test_a_refusal_names_the_series_and_who_has_it():
    registry = SeriesRegistry()
    registry.register(LATENCY, (("job", "shop"), ("route", "/")))
    with pytest.raises(Untranslatable) as refusal:
        registry.register(gauge("latency_count"), (("job", "shop"), ("route", "/")))
    assert 'latency_count{job="shop", route="/"}' in str(refusal.value)
    assert "'http.latency'" in str(refusal.value)


def test_nothing_is_kept_of_what_was_released():
    registry = SeriesRegistry()
    for number in range(10):
        family, labels = gauge(f"level_{number}"), (("le", str(number)),)
        registry.register(family, labels)
        registry.release_all(family, [labels])
    assert registry._owners == {}
    assert registry.usage.series == {}


def test_of_streams_that_are_claimed_together_those_are_refused_that_would_be_alone():
    registry = SeriesRegistry(SeriesUsage(limit=4))
    registry.register(gauge("level"), (("at", "a"),))
    labels = [(("at", place),) for place in "bacbde"]
    refused = registry.register_all(gauge("level"), labels)
    assert [error.reason for error in refused.values()] == ["duplicate", "duplicate", "max_series"]
    assert [*refused] == [1, 3, 5]
    assert registry.usage.size == 4


def test_streams_that_are_claimed_together_are_told_from_a_buckets_series():
    registry = SeriesRegistry()
    registry.register(LATENCY, SHOP)
    refused = registry.register_all(gauge("latency_bucket"), [SHOP, bucket("1")])
    assert [*refused] == [1]
    assert [*registry.register_all(LATENCY, [(("job", "other"),), SHOP])] == [1]
