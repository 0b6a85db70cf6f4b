"""What real receivers hold, asked by PromQL, is what the SDK aggregated."""

from __future__ import annotations

import random
import time
from bisect import bisect_left
from statistics import quantiles

import pytest
import urllib3
from opentelemetry.metrics import Observation
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from tests.end_to_end.application import HOST, INSTANCE, Application, points
from tests.end_to_end.odd_series import odd_data
from tests.family_samples import read
from tests.transport.scripted_server import ScriptedServer, answer

# Each receiver with each version of the protocol that it speaks.
RECEIVERS = [
    ("prometheus_stable", "1.0"),
    ("prometheus_current", "1.0"),
    ("prometheus_current", "2.0"),
    ("victoria_metrics", "1.0"),
]
# Those that hold native histograms and exemplars.
NATIVE_RECEIVERS = [("prometheus_current", "1.0"), ("prometheus_current", "2.0")]

BOUNDS = (0.0, 0.1, 0.5, 1.0, 2.5, 10.0)
SOME_TIME_AGO = 300  # seconds; all receivers take samples that are so old
NATIVE = {"default_histogram_aggregation": "base2_exponential_bucket_histogram"}


def each(receivers):
    return pytest.mark.parametrize("receiver", receivers, indirect=True, ids=" with ".join)


@pytest.fixture
def receiver(request):
    """A server, and the version of the protocol to speak with it."""
    name, protocol = request.param
    return request.getfixturevalue(name), protocol


@pytest.fixture
def server(receiver):
    return receiver[0]


@pytest.fixture
def protocol(receiver):
    return receiver[1]


@pytest.fixture
def start_application(server, protocol, request, server_stack):
    """start_application(url=, **settings): one that pushes to the server."""

    def start(url=None, **settings):
        application = Application(url or server.write_url, request.node.name, protocol=protocol, **settings)
        server_stack.callback(application.close)
        return application

    return start


def of(application, name, **labels):
    """A selector of the application's series."""
    pairs = ",".join(f'{label}="{text}"' for label, text in {"job": application.job, **labels}.items())
    return f"{name}{{{pairs}}}"


@pytest.fixture
def now():
    """Whole seconds, some time ago, so that a test can push at several moments without waiting for them."""
    return float(int(time.time()) - SOME_TIME_AGO)


# --- numbers ---


@each(RECEIVERS)
def test_every_kind_of_number_is_what_was_recorded(server, start_application, now):
    application = start_application()
    meter = application.meter
    counter = meter.create_counter("http.requests", unit="{request}")
    counter.add(3, {"http.route": "/a"})
    counter.add(2**53, {"http.route": "/b"})
    meter.create_up_down_counter("queue.size").add(-4)
    meter.create_gauge("temperature", unit="Cel").set(-12.25)
    for kind, number in (("counter", 7), ("up_down_counter", -8), ("gauge", 0.125)):
        observe = getattr(meter, f"create_observable_{kind}")
        observe(f"observed.{kind}", callbacks=[lambda _, number=number: [Observation(number)]], unit="By")
    assert application.push(now)

    expected = {
        of(application, "http_requests_total", http_route="/a"): 3,
        of(application, "http_requests_total", http_route="/b"): 2**53,
        of(application, "queue_size"): -4,
        of(application, "temperature_celsius"): -12.25,
        of(application, "observed_counter_bytes_total"): 7,
        of(application, "observed_up_down_counter_bytes"): -8,
        of(application, "observed_gauge_bytes"): 0.125,
    }
    assert {query: server.value(query, at=now) for query in expected} == expected


@each(RECEIVERS)
def test_pushes_one_right_after_the_other_are_all_accepted(server, start_application):
    application = start_application()
    counter = application.meter.create_counter("hits")
    for _ in range(100):
        counter.add(1)
        assert application.export(application.reader.get_metrics_data())
    assert server.value(of(application, "hits_total"), at=time.time()) == 100


@each(RECEIVERS)
def test_rate_and_increase_are_those_of_the_counter(server, start_application, now):
    application = start_application()
    counter = application.meter.create_counter("hits")
    for push in range(5):
        counter.add(30)
        assert application.push(now + 15 * push)
    at = now + 60
    assert server.value(f"rate({of(application, 'hits_total')}[1m])", at) == pytest.approx(2.0)
    assert server.value(f"increase({of(application, 'hits_total')}[1m])", at) == pytest.approx(120.0)


@each(RECEIVERS)
def test_target_info_joins_on_job_and_instance(server, start_application, now):
    application = start_application()
    application.meter.create_counter("hits").add(5)
    assert application.push(now)
    join = (
        f"{of(application, 'hits_total')} * on (job, instance) group_left (host_name) {of(application, 'target_info')}"
    )
    [joined] = server.query(join, now)
    assert joined.value == 5
    assert joined.labels["host_name"] == HOST
    assert joined.labels["instance"] == INSTANCE


# --- histograms ---


def recorded(application, number=500):
    """Values in a histogram, and the values."""
    dice = random.Random(3)
    values = [0.0, *(dice.lognormvariate(0, 1.2) for _ in range(number - 1))]
    latency = application.meter.create_histogram("latency", unit="s", explicit_bucket_boundaries_advisory=BOUNDS)
    for value in values:
        latency.record(value)
    return values


def exact_quantile(values, percent):
    return quantiles(values, n=100)[percent - 1]


@each(RECEIVERS)
def test_a_classic_histogram_holds_what_was_recorded(server, start_application, now):
    application = start_application()
    values = recorded(application)
    assert application.push(now)

    assert server.value(of(application, "latency_seconds_count"), now) == len(values)
    assert server.value(of(application, "latency_seconds_sum"), now) == pytest.approx(sum(values))
    buckets = {
        sample.labels["le"]: sample.value for sample in server.query(of(application, "latency_seconds_bucket"), now)
    }
    assert buckets == {
        le: sum(value <= float(le) for value in values) for le in ("0", "0.1", "0.5", "1", "2.5", "10", "+Inf")
    }


@each(RECEIVERS)
@pytest.mark.parametrize("percent", [50, 90, 95])
def test_a_quantile_of_a_classic_histogram_is_in_the_bucket_of_the_true_one(server, start_application, now, percent):
    application = start_application()
    values = recorded(application)
    assert application.push(now)
    query = f"histogram_quantile({percent / 100}, {of(application, 'latency_seconds_bucket')})"
    bucket = bisect_left(BOUNDS, exact_quantile(values, percent))
    assert BOUNDS[bucket - 1] <= server.value(query, now) <= BOUNDS[bucket]


@each(RECEIVERS)
def test_quantiles_of_what_came_in_the_last_minute_leave_out_what_came_before(server, start_application, now):
    application = start_application()
    latency = application.meter.create_histogram("latency", unit="s", explicit_bucket_boundaries_advisory=BOUNDS)
    for push in range(5):
        for _ in range(100):
            latency.record(5.0 if push == 0 else 0.3)
        assert application.push(now + 30 * push)
    query = f"histogram_quantile(0.99, sum by (le) (rate({of(application, 'latency_seconds_bucket')}[1m])))"
    assert 0.1 <= server.value(query, now + 120) <= 0.5


@each(RECEIVERS)
def test_the_least_and_the_greatest_value_are_gauges_where_asked(server, start_application, now):
    application = start_application(histogram_min_max=True)
    values = recorded(application)
    assert application.push(now)
    assert server.value(of(application, "latency_seconds_min"), now) == min(values)
    assert server.value(of(application, "latency_seconds_max"), now) == pytest.approx(max(values))


@each(NATIVE_RECEIVERS)
def test_a_native_histogram_holds_what_was_recorded(server, start_application, now):
    application = start_application(**NATIVE)
    values = recorded(application)
    data = application.collect(now)
    assert application.export(data)

    selector = of(application, "latency_seconds")
    assert server.value(f"histogram_count({selector})", now) == len(values)
    assert server.value(f"histogram_sum({selector})", now) == pytest.approx(sum(values))
    [stored] = server.query(selector, now)
    held = [(float(low), float(high), float(count)) for _, low, high, count in stored.point.histogram["buckets"]]
    [point] = points(data, "latency")
    base = 2**2**-point.scale
    expected = [
        (base**number, base ** (number + 1), count)
        for number, count in enumerate(point.positive.bucket_counts, point.positive.offset)
        if count
    ]
    assert sorted(held) == [pytest.approx(bucket) for bucket in [(-1e-128, 1e-128, 1), *expected]]


@each(NATIVE_RECEIVERS)
@pytest.mark.parametrize("percent", [50, 90, 99])
def test_a_quantile_of_a_native_histogram_is_within_one_bucket_of_the_true_one(server, start_application, now, percent):
    application = start_application(**NATIVE)
    values = recorded(application)
    data = application.collect(now)
    assert application.export(data)
    [point] = points(data, "latency")
    width = 2**2**-point.scale
    found = server.value(f"histogram_quantile({percent / 100}, {of(application, 'latency_seconds')})", now)
    true = exact_quantile(values, percent)
    assert true / width <= found <= true * width


@each(NATIVE_RECEIVERS)
def test_a_native_histogram_grows_from_push_to_push(server, start_application, now):
    application = start_application(**NATIVE)
    latency = application.meter.create_histogram("latency", unit="s")
    for push in range(5):
        for value in range(1, 11):
            latency.record(value * 10.0**push)  # the scale falls as the range grows
        assert application.push(now + 15 * push)
    at = now + 60
    assert server.value(f"histogram_count(increase({of(application, 'latency_seconds')}[1m]))", at) == pytest.approx(40)


@each(NATIVE_RECEIVERS)
def test_a_histogram_that_has_measured_nothing_but_zero_is_held(server, start_application, now):
    application = start_application(**NATIVE)
    application.meter.create_histogram("latency", unit="s").record(0.0)
    assert application.push(now)
    assert server.value(f"histogram_count({of(application, 'latency_seconds')})", now) == 1
    assert server.value(f"histogram_quantile(0.5, {of(application, 'latency_seconds')})", now) == pytest.approx(0)


@each([("prometheus_current", "2.0")])
def test_explicit_buckets_are_held_as_custom_ones_where_asked(server, start_application, now):
    application = start_application(convert_histograms_to_nhcb=True)
    values = recorded(application)
    assert application.push(now)
    selector = of(application, "latency_seconds")
    assert server.value(f"histogram_count({selector})", now) == len(values)
    [stored] = server.query(selector, now)
    held = {float(high): float(count) for _, _, high, count in stored.point.histogram["buckets"]}
    in_bucket = [bisect_left(BOUNDS, value) for value in values]
    assert held == {bound: in_bucket.count(place) for place, bound in enumerate((*BOUNDS, float("inf")))}


@each([("prometheus_stable", "1.0")])
def test_a_prometheus_without_native_histograms_says_so_and_holds_everything_else(
    server, start_application, now, caplog
):
    application = start_application(**NATIVE, min_backoff=120_000, max_backoff=120_000)
    application.meter.create_counter("hits").add(5)
    application.meter.create_histogram("latency").record(0.5)
    assert not application.push(now)  # it answers 500, as if that would pass
    assert server.value(of(application, "hits_total"), now) == 5
    assert server.series(of(application, "latency"), start=now - 1, end=now + 1) == []
    assert "native histogram" in caplog.text


@each([("victoria_metrics", "1.0")])
def test_victoria_metrics_of_debian_12_drops_native_histograms_without_a_word(server, start_application, now):
    application = start_application(**NATIVE)
    application.meter.create_counter("hits").add(5)
    application.meter.create_histogram("latency").record(0.5)
    assert application.push(now)  # 204: a sender cannot know
    assert server.value(of(application, "hits_total"), now) == 5
    assert server.series(of(application, "latency"), start=now - 1, end=now + 1) == []


# --- exemplars ---


@each(NATIVE_RECEIVERS)
@pytest.mark.parametrize(
    ("record", "name", "settings"),
    [
        pytest.param(lambda meter: meter.create_counter("hits").add(2), "hits_total", {}, id="counter"),
        pytest.param(
            lambda meter: meter.create_histogram("latency").record(2), "latency_bucket", {}, id="classic histogram"
        ),
        pytest.param(
            lambda meter: meter.create_histogram("latency").record(2), "latency", NATIVE, id="native histogram"
        ),
    ],
)
def test_an_exemplar_has_the_trace_of_the_span_in_which_was_measured(server, start_application, record, name, settings):
    application = start_application(**settings)
    around = time.time()
    # Of a native histogram's first push in 1.0 Prometheus drops the exemplars: it reads them before the histogram.
    record(application.meter)
    assert application.push(around - 1)
    with TracerProvider(shutdown_on_exit=False).get_tracer("tests").start_as_current_span("request") as span:
        record(application.meter)
    assert application.push(around)
    [found] = server.query_exemplars(of(application, name), start=around - 60, end=around + 60)
    [exemplar] = found["exemplars"]
    context = span.get_span_context()
    assert exemplar["labels"] == {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    assert float(exemplar["value"]) == 2
    assert found["seriesLabels"].get("le", "5") == "5"


# --- failures ---


class InBetween(ScriptedServer):
    """Passes requests on to a receiver, or answers them itself with an error."""

    def __init__(self, url):
        super().__init__(self._pass_on)
        self._url = url
        self.error = None

    def _pass_on(self, exchange):
        if self.error:
            return answer(self.error, body=b"out of order")(exchange)
        request = exchange.request
        names = ("content-type", "content-encoding", "x-prometheus-remote-write-version", "user-agent")
        headers = {name: request.headers[name] for name in names}
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            passed = pool.request("POST", self._url, body=request.body, headers=headers)
        written = {name: value for name, value in passed.headers.items() if name.lower().endswith("-written")}
        return answer(passed.status, written, passed.data)(exchange)


@each(RECEIVERS)
def test_five_increments_of_which_two_fail_arrive_as_1_4_5(server, start_application, now, server_stack, caplog):
    between = server_stack.enter_context(InBetween(server.write_url))
    application = start_application(between.url)
    counter = application.meter.create_counter("hits")
    results = []
    for push, error in enumerate([None, 400, 422, None, None]):
        between.error = error
        counter.add(1)
        results.append(application.push(now + push))
    assert results == [True, False, False, True, True]

    [series] = server.range_vector(f"{of(application, 'hits_total')}[1m]", at=now + 10)
    assert series.values == [1, 4, 5]
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 2
    assert "400" in warnings[0]
    assert "422" in warnings[1]
    assert "out of order" in warnings[0]


# --- everything at once ---


def all_labels(data, settings):
    """The series of an export, each as the set of its labels."""
    translator = Translator(Settings(**settings), DroppedPoints(), resources_as_labels=False)
    return {frozenset(series.labels.items()) for series in read(translator.translate(data))}


UTF_8 = {"translation_strategy": "NoTranslation"}


@pytest.mark.parametrize(
    ("receiver", "settings"),
    [
        *(pytest.param(receiver, {}, id=" with ".join(receiver)) for receiver in RECEIVERS),
        *(pytest.param(receiver, UTF_8, id=" with ".join((*receiver, "UTF-8"))) for receiver in NATIVE_RECEIVERS),
    ],
    indirect=["receiver"],
)
def test_thousands_of_odd_series_are_all_held_as_they_were_sent(server, start_application, now, settings):
    application = start_application(**settings)
    resource = {"service.name": application.job, "service.instance.id": INSTANCE, "host.name": HOST}
    data = odd_data(resource, int(now * 1000))
    sent = all_labels(data, settings)
    assert len(sent) > 2000
    assert application.export(data)

    held = server.series(of(application, ""), start=now - 1, end=now + 1)
    assert len(held) == len(sent)
    assert {frozenset(labels.items()) for labels in held} == sent


@each(RECEIVERS)
def test_values_of_thousands_of_odd_series_are_those_that_were_sent(server, start_application, now):
    application = start_application()
    data = odd_data({"service.name": application.job, "service.instance.id": INSTANCE}, int(now * 1000), scopes=5)
    translator = Translator(Settings(), DroppedPoints())
    sent = {frozenset(series.labels.items()): series.value for series in read(translator.translate(data))}
    assert application.export(data)
    held = {frozenset(sample.labels.items()): sample.value for sample in server.query(of(application, ""), at=now)}
    assert held.keys() == sent.keys()
    assert held == pytest.approx(sent, rel=1e-12)


@each(RECEIVERS)
def test_boundaries_that_were_set_by_a_setting_are_those_of_the_buckets(server, start_application, now):
    application = start_application(histogram_boundaries=(1, 5, 25))
    application.meter.create_histogram("size").record(7)
    assert application.push(now)
    found = {sample.labels["le"]: sample.value for sample in server.query(of(application, "size_bucket"), now)}
    assert found == {"1": 0, "5": 0, "25": 1, "+Inf": 1}
