"""Remote Write 2.0 with receivers that speak it, 1.0 with those that do not, and the data there from the start."""

import logging
import math
import time

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.collected import (
    collected,
    counter,
    exemplar,
    exponential_histogram,
    exponential_point,
    gauge,
    histogram,
    histogram_point,
    point,
    up_down_counter,
)
from tests.end_to_end.passage import Passage
from tests.pushed_series import received

SUCCESS, FAILURE = MetricExportResult.SUCCESS, MetricExportResult.FAILURE
ONLY_1_0 = "--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest"
INSTANCE = "shop-1"
NEW, OLD = "2.0.0", "0.1.0"


@pytest.fixture
def job(request):
    """A job of the test's own in the shared servers."""
    return request.node.name


@pytest.fixture
def now():
    """Of the first export, in milliseconds; the others come after it, and before it is now."""
    return int(time.time() * 1000) - 10_000


@pytest.fixture
def refusing(start_prometheus):
    """A current Prometheus that is told to take 1.0 only, and answers 415 to 2.0."""
    return start_prometheus(flags=[ONLY_1_0])


@pytest.fixture(params=["refusing", "prometheus_stable", "victoria_metrics"])
def old_receiver(request):
    """Each receiver that does not take 2.0: one says so, the others answer 204 and store nothing."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def log(caplog):
    """What our own code has logged from INFO up, but for the line that metrics arrive: level and text."""
    caplog.set_level(logging.INFO, logger="opentelemetry.exporter.prometheus_remote_write")

    def lines():
        said = [(record.levelname, record.getMessage()) for record in caplog.records]
        return [(level, text) for level, text in said if not text.startswith("Metrics arrive at ")]

    return lines


@pytest.fixture
def start_exporter():
    """start_exporter(endpoint, **settings): shut down after the test."""
    exporters = []

    def start(endpoint, **settings):
        exporters.append(PrometheusRemoteWriteMetricsExporter(endpoint=endpoint, disable_scope_labels=True, **settings))
        return exporters[-1]

    yield start
    for exporter in exporters:
        exporter.shutdown()


def resource(job):
    return {"service.name": job, "service.instance.id": INSTANCE, "region": "eu"}


def shop(job, at, value):
    """One export of a shop whose every number follows from one."""
    start = at - 60_000
    return collected(
        counter(*(point(value + n, {"code": str(n)}, at=at, start=start) for n in range(2)), description="Hits"),
        up_down_counter(point(-value, at=at, start=start)),
        gauge(point(value / 2, {"unit": "é"}, at=at)),
        histogram(histogram_point((value, 0, 1), (0.5, 2.5), at=at, start=start, sum=value * 1.5), unit="s"),
        resource=resource(job),
    )


def shop_series(job, exports):
    """The series that it becomes, whatever the protocol; the values by time in milliseconds."""
    made = {
        ("hits_total", "code", "0"): float,
        ("hits_total", "code", "1"): lambda value: value + 1,
        ("queue", "", ""): lambda value: -value,
        ("level", "unit", "é"): lambda value: value / 2,
        ("latency_seconds_bucket", "le", "0.5"): float,
        ("latency_seconds_bucket", "le", "2.5"): float,
        ("latency_seconds_bucket", "le", "+Inf"): lambda value: value + 1,
        ("latency_seconds_sum", "", ""): lambda value: value * 1.5,
        ("latency_seconds_count", "", ""): lambda value: value + 1,
    }
    found = {}
    for (name, label, text), value_of in made.items():
        labels = {"__name__": name, "job": job, "instance": INSTANCE} | ({label: text} if label else {})
        found[frozenset(labels.items())] = [(at, value_of(value)) for at, value in exports]
    return found


def stored(server, job):
    """The same, as the server has it; without target_info, which has other labels."""
    return {
        frozenset(series.labels.items()): [(round(each.time * 1000), each.value) for each in series.points]
        for series in server.range_vector(f'{{job="{job}",__name__!="target_info"}}[5m]')
    }


def export_shop(exporter, job, now, *, times=3):
    """The exports, and what they returned."""
    exports = [(now + 1000 * number, 10 + number) for number in range(times)]
    return exports, [exporter.export(shop(job, at, value)) for at, value in exports]


# --- receivers of 2.0 ---


def test_a_current_receiver_is_spoken_to_in_2_0(prometheus_current, start_exporter, job, now, log):
    with Passage(prometheus_current.write_url) as passage:
        exports, results = export_shop(start_exporter(passage.url), job, now)
    assert results == [SUCCESS] * 3
    assert stored(prometheus_current, job) == shop_series(job, exports)
    assert passage.versions == [NEW] * 3
    assert passage.requests[0].content_type == "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    assert all(request.status == 204 and request.written for request in passage.requests)
    assert log() == []
    assert prometheus_current.value(f'target_info{{job="{job}"}}') == 1


def test_native_histograms_and_exemplars_arrive_by_2_0(prometheus_current, start_exporter, job, now, log):
    exemplars = [exemplar(0.5, at=now - 5, trace_id=0xABC, span_id=0xDEF)]
    data = collected(
        exponential_histogram(exponential_point((3, 4), at=now, start=now - 60_000, count=9, zero_count=2)),
        counter(point(7, at=now, start=now - 60_000, exemplars=exemplars)),
        resource=resource(job),
    )
    assert start_exporter(prometheus_current.write_url).export(data) is SUCCESS
    assert log() == []
    at = now / 1000
    assert prometheus_current.value(f'histogram_count(size{{job="{job}"}})', at) == 9
    assert prometheus_current.value(f'histogram_sum(size{{job="{job}"}})', at) == 4.5
    assert prometheus_current.value(f'histogram_fraction(1, 2, size{{job="{job}"}})', at) == pytest.approx(3 / 9)
    [found] = prometheus_current.query_exemplars(f'hits_total{{job="{job}"}}', at - 60, at + 60)
    [stored_exemplar] = found["exemplars"]
    assert stored_exemplar["labels"] == {"trace_id": f"{0xABC:032x}", "span_id": f"{0xDEF:016x}"}
    assert (float(stored_exemplar["value"]), stored_exemplar["timestamp"]) == (0.5, pytest.approx((now - 5) / 1000))


def latencies(job, at):
    return collected(
        histogram(histogram_point((2, 3, 5), (1.0, 4.0), at=at, start=at - 60_000, sum=30.0), unit="s"),
        resource=resource(job),
    )


def test_custom_buckets_can_be_queried_as_the_native_histograms_that_they_are(
    prometheus_current, start_exporter, job, now, log
):
    exporter = start_exporter(prometheus_current.write_url, convert_histograms_to_nhcb=True)
    assert exporter.export(latencies(job, now)) is SUCCESS
    assert log() == []
    at, metric = now / 1000, f'latency_seconds{{job="{job}"}}'
    assert prometheus_current.value(f"histogram_count({metric})", at) == 10
    assert prometheus_current.value(f"histogram_sum({metric})", at) == 30
    assert prometheus_current.value(f"histogram_fraction(-Inf, 1, {metric})", at) == pytest.approx(0.2)
    assert prometheus_current.value(f"histogram_quantile(0.5, {metric})", at) == pytest.approx(4.0)
    [series] = prometheus_current.query(metric, at)
    bounds = [
        (float(lower), float(upper), float(count)) for _, lower, upper, count in series.point.histogram["buckets"]
    ]
    assert bounds == [(-math.inf, 1, 2), (1, 4, 3), (4, math.inf, 5)]
    assert prometheus_current.query(f'{{__name__=~"latency_seconds_.*",job="{job}"}}', at) == []


# --- receivers of 1.0 ---


def test_a_receiver_of_1_0_has_all_data_from_the_first_export_on(old_receiver, start_exporter, job, now, log):
    with Passage(old_receiver.write_url) as passage:
        exports, results = export_shop(start_exporter(passage.url), job, now)
    assert results == [SUCCESS] * 3
    assert stored(old_receiver, job) == shop_series(job, exports)
    assert old_receiver.value(f'count(target_info{{job="{job}"}})') == 1
    [(level, text)] = log()
    assert level == "INFO"
    assert "2.0" in text
    assert "1.0" in text
    # One request of 2.0, refused or lost; the same again as 1.0 with metadata, and from then on as 1.0 at once.
    assert passage.versions == [NEW] + [OLD] * 4
    assert passage.requests[0].written == {}
    assert [request.status // 100 for request in passage.requests[1:]] == [2] * 4
    assert {request.content_type for request in passage.requests[1:]} == {"application/x-protobuf"}


def test_an_export_of_many_requests_falls_back_as_one(old_receiver, start_exporter, job, now, log):
    with Passage(old_receiver.write_url) as passage:
        exporter = start_exporter(passage.url, max_samples_per_send=2, max_concurrent_requests=1)
        exports, results = export_shop(exporter, job, now)
    assert results == [SUCCESS] * 3
    assert stored(old_receiver, job) == shop_series(job, exports)
    assert [level for level, _ in log()] == ["INFO"]
    assert passage.versions.count(NEW) == 1


def test_custom_buckets_are_classic_with_a_receiver_of_1_0(old_receiver, start_exporter, job, now, log):
    exporter = start_exporter(old_receiver.write_url, convert_histograms_to_nhcb=True)
    assert [exporter.export(latencies(job, now + 1000 * number)) for number in range(2)] == [SUCCESS] * 2
    assert [level for level, _ in log()] == ["INFO"]
    times = (now, now + 1000)
    # Prometheus 3.5 stores what it refuses with 415; newer ones do not.
    found = {labels: points for labels, points in stored(old_receiver, job).items() if not is_native(points)}
    assert found == {
        frozenset((labels | {"__name__": f"latency_seconds_{name}", "job": job, "instance": INSTANCE}).items()): [
            (at, value) for at in times
        ]
        for name, labels, value in (
            ("bucket", {"le": "1"}, 2),
            ("bucket", {"le": "4"}, 5),
            ("bucket", {"le": "+Inf"}, 10),
            ("sum", {}, 30),
            ("count", {}, 10),
        )
    }


def is_native(points):
    return all(value is None for _, value in points)


def test_with_2_0_demanded_nothing_falls_back_and_the_warning_says_what_to_set(
    old_receiver, start_exporter, job, now, log
):
    with Passage(old_receiver.write_url) as passage:
        _, results = export_shop(start_exporter(passage.url, protocol="2.0"), job, now, times=2)
    assert results == [FAILURE] * 2
    assert passage.versions == [NEW] * 2
    lines = log()
    assert {level for level, _ in lines} == {"WARNING"}
    assert "OTEL_EXPORTER_PRW_PROTOCOL" in lines[0][1]


def test_with_1_0_demanded_no_other_is_tried(old_receiver, start_exporter, job, now, log):
    with Passage(old_receiver.write_url) as passage:
        exports, results = export_shop(start_exporter(passage.url, protocol="1.0"), job, now)
    assert results == [SUCCESS] * 3
    assert stored(old_receiver, job) == shop_series(job, exports)
    assert set(passage.versions) == {OLD}
    assert log() == []


def test_1_0_may_be_demanded_of_a_current_receiver(prometheus_current, start_exporter, job, now, log):
    with Passage(prometheus_current.write_url) as passage:
        exports, results = export_shop(start_exporter(passage.url, protocol="1.0"), job, now)
    assert results == [SUCCESS] * 3
    assert stored(prometheus_current, job) == shop_series(job, exports)
    assert set(passage.versions) == {OLD}
    assert log() == []


ALL_KINDS = collected(
    counter(point(7, {"code": "a"}, exemplars=[exemplar(0.5, trace_id=1, span_id=2)]), point(8, {"code": "b"})),
    up_down_counter(point(-1)),
    gauge(point(0.1, {"unit": "é"})),
    histogram(histogram_point((2, 3, 5), (1.0, 4.0), {"le": "left", "a": "b"}, exemplars=[exemplar(0.5, trace_id=3)])),
    histogram(histogram_point((0, 0, 0), (1.0, 4.0), sum=0.0), histogram_point((1,), (), {"a": "b"}), name="sparse"),
    exponential_histogram(exponential_point((3, 4), exemplars=[exemplar(1.5, trace_id=4)])),
    resource={"service.name": "shop", "region": "eu"},
)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(ScriptedAnswer(415), id="415"),
        pytest.param(ScriptedAnswer(400), id="400 to the first request"),
        pytest.param(ScriptedAnswer(204, stored=False), id="204 and nothing stored"),
        pytest.param(
            ScriptedAnswer(200, {"Content-Type": "text/plain"}, b"thank you", stored=False), id="200 with a body"
        ),
    ],
)
@pytest.mark.parametrize("custom_buckets", [False, True], ids=["classic histograms", "custom buckets"])
def test_what_is_sent_again_is_what_1_0_would_have_sent(start_exporter, refusal, custom_buckets):
    pushed = []
    for settings in ({}, {"protocol": "1.0"}):
        with Receiver(answers=[refusal] if not settings else []) as receiver:
            exporter = start_exporter(receiver.url, convert_histograms_to_nhcb=custom_buckets, **settings)
            assert exporter.export(ALL_KINDS) is SUCCESS
        assert {request.protocol for request in receiver.received} == {"1.0"}
        pushed.append(received(receiver.received).samples)
    assert pushed[0] == pushed[1]


@pytest.fixture
def servers(prometheus_current, prometheus_stable):
    """One that speaks 2.0, and one that does not."""
    return prometheus_current, prometheus_stable


def test_two_exporters_find_out_each_for_itself(servers, start_exporter, job, now, log):
    exporters = [start_exporter(server.write_url) for server in servers]
    for number in range(2):
        data = shop(job, now + 1000 * number, 10 + number)
        assert [exporter.export(data) for exporter in exporters] == [SUCCESS] * 2
    exports = [(now, 10), (now + 1000, 11)]
    assert [stored(server, job) for server in servers] == [shop_series(job, exports)] * 2
    assert [level for level, _ in log()] == ["INFO"]


# --- receivers that do not write all ---


def test_a_real_receiver_that_writes_only_a_part_is_believed_about_how_much(
    prometheus_current, start_exporter, job, now, log
):
    exporter = start_exporter(prometheus_current.write_url)
    assert exporter.export(shop(job, now, 10)) is SUCCESS
    other_values_at_the_same_time = collected(
        counter(point(99, {"code": "0"}, at=now), point(99, {"code": "2"}, at=now), description="Hits"),
        resource=resource(job),
    )
    assert exporter.export(other_values_at_the_same_time) is FAILURE
    [(level, text)] = log()
    assert level == "WARNING"
    assert "[1 sample rejected]" in text
    assert prometheus_current.value(f'hits_total{{job="{job}",code="2"}}', now / 1000) == 99


def written(samples, histograms=0, exemplars=0):
    return {
        "X-Prometheus-Remote-Write-Samples-Written": str(samples),
        "X-Prometheus-Remote-Write-Histograms-Written": str(histograms),
        "X-Prometheus-Remote-Write-Exemplars-Written": str(exemplars),
    }


@pytest.mark.parametrize("status", [200, 204])
def test_a_shortfall_is_a_warning_with_numbers_and_counts_as_rejected(start_exporter, job, now, log, status):
    with Receiver(answers=[ScriptedAnswer(status, written(4)), None]) as receiver:
        exporter = start_exporter(receiver.url)
        assert exporter.export(shop(job, now, 10)) is FAILURE
        [(level, text)] = log()
        assert exporter.export(shop(job, now + 1000, 11)) is SUCCESS
    assert level == "WARNING"
    assert "6 samples" in text  # of 10
    assert [request.protocol for request in receiver.received] == ["2.0", "2.0"]


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param({"X-Prometheus-Remote-Write-Samples-Written": "-1"}, id="negative"),
        pytest.param({"X-Prometheus-Remote-Write-Samples-Written": "lots"}, id="no number"),
        pytest.param({"X-Prometheus-Remote-Write-Samples-Written": "9" * 5000}, id="huge"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>thank you</html>"], ids=["no body", "a body"])
def test_a_receiver_that_answers_nonsense_is_taken_at_its_status(start_exporter, now, log, nonsense, body):
    with Receiver(answers=lambda _: ScriptedAnswer(200, written(0) | nonsense, body)) as receiver:
        exporter = start_exporter(receiver.url, disable_exemplars=True)
        _, results = export_shop(exporter, "shop", now)
    assert results == [SUCCESS] * 3
    assert [request.protocol for request in receiver.received] == ["2.0"] * 3
    assert log() == []
