import pytest
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    InMemoryMetricReader,
)
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    SumAggregation,
    View,
)

from opentelemetry.exporter.prometheus_remote_write.configuration.aggregation import aggregation, temporality
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings

CUMULATIVE, DELTA = AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA
EXPONENTIAL = {"default_histogram_aggregation": "base2_exponential_bucket_histogram"}
OURS = {"histogram_boundaries": (1.0, 2.0, 3.0)}
INSTRUMENTS = (Counter, UpDownCounter, Histogram, ObservableCounter, ObservableUpDownCounter, ObservableGauge)


def test_every_instrument_is_cumulative():
    assert temporality(None) == dict.fromkeys(INSTRUMENTS, CUMULATIVE)


def test_what_the_user_prefers_is_left_as_it_is():
    given = {Counter: DELTA}
    assert temporality(given) == dict.fromkeys(INSTRUMENTS, CUMULATIVE) | {Counter: DELTA}
    assert given == {Counter: DELTA}


@pytest.mark.parametrize("given", ["delta", 5, [Counter], {"counter": "delta"}, {str: DELTA}])
def test_what_is_not_said_by_kinds_of_instruments_is_refused(given):
    with pytest.raises(TypeError, match="preferred_temporality"):
        temporality(given)
    with pytest.raises(TypeError, match="preferred_aggregation"):
        aggregation(Settings(), given)


def aggregated(settings=None, *, given=None, advice=None, views=()):
    """The data point that the SDK makes of a histogram."""
    reader = InMemoryMetricReader(preferred_aggregation=aggregation(Settings(**settings or {}), given))
    provider = MeterProvider([reader], views=views, shutdown_on_exit=False)
    latency = provider.get_meter("tests").create_histogram("latency", explicit_bucket_boundaries_advisory=advice)
    latency.record(1.5, {"a": 1})
    data = reader.get_metrics_data()
    provider.shutdown()
    [point] = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    return point


def test_by_default_histograms_are_the_sdks():
    assert Histogram not in aggregation(Settings(), None)


def test_exponential_histograms_by_a_setting():
    assert isinstance(aggregated(EXPONENTIAL), ExponentialHistogramDataPoint)


@pytest.mark.parametrize(
    ("settings", "advice", "bounds"),
    [
        pytest.param(OURS, None, (1.0, 2.0, 3.0), id="the setting's, without advice"),
        pytest.param(OURS, (5.0, 6.0), (5.0, 6.0), id="the instrument's, with advice"),
        pytest.param({}, (5.0, 6.0), (5.0, 6.0), id="the instrument's, without the setting"),
        pytest.param(OURS, (), (), id="advice to have none"),
    ],
)
def test_boundaries_of_explicit_histograms(settings, advice, bounds):
    point = aggregated(settings, advice=advice)
    assert isinstance(point, HistogramDataPoint)
    assert tuple(point.explicit_bounds) == bounds
    assert sum(point.bucket_counts) == point.count == 1
    assert len(point.bucket_counts) == len(bounds) + 1


def test_boundaries_say_nothing_of_exponential_histograms():
    assert isinstance(aggregated(EXPONENTIAL | OURS), ExponentialHistogramDataPoint)


@pytest.mark.parametrize("settings", [EXPONENTIAL, OURS], ids=["exponential", "boundaries"])
def test_the_users_aggregation_wins_over_the_settings(settings):
    given = {Histogram: ExplicitBucketHistogramAggregation((7.0,))}
    assert tuple(aggregated(settings, given=given).explicit_bounds) == (7.0,)


@pytest.mark.parametrize("settings", [EXPONENTIAL, OURS], ids=["exponential", "boundaries"])
def test_a_view_wins_over_the_settings(settings):
    view = View(instrument_name="latency", aggregation=ExplicitBucketHistogramAggregation((8.0,)))
    assert tuple(aggregated(settings, views=[view]).explicit_bounds) == (8.0,)


def test_the_users_aggregation_of_one_instrument_leaves_the_settings_for_others():
    given = {Counter: SumAggregation()}
    chosen = aggregation(Settings(**EXPONENTIAL), given)
    assert chosen.keys() == {Counter, Histogram, ObservableCounter}
    assert isinstance(chosen[Histogram], ExponentialBucketHistogramAggregation)
    assert given.keys() == {Counter}
