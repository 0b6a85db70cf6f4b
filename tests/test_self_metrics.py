"""What an exporter tells of itself is what the receiver has counted."""

from __future__ import annotations

from collections import deque
from urllib.parse import urlsplit

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.sdk_variables import SELF_METRICS
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.collected import NOW, collected, counter, gauge, histogram, histogram_point, point

EXPORTED = "otel.sdk.exporter.metric_data_point.exported"
INFLIGHT = "otel.sdk.exporter.metric_data_point.inflight"
DURATION = "otel.sdk.exporter.operation.duration"
OURS = "prometheus_remote_write.exporter"
FAILURES = f"{OURS}.renewal_failures"
RESOURCE = {"service.name": "shop", "host.name": "h"}


@pytest.fixture
def receiver():
    script = deque()
    with Receiver(answers=lambda _: script.popleft() if script else None) as receiver:
        receiver.script = script
        yield receiver


class Watched:
    """An exporter, and the meters of the provider that it serves."""

    def __init__(self, url, **settings):
        self.exporter = PrometheusRemoteWriteMetricsExporter(endpoint=url, **{"disable_zero_samples": True, **settings})
        self._reader = InMemoryMetricReader()
        self._provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.exporter.set_meter_provider(self._provider)

    def export(self, *metrics, **options):
        self.exporter.export(collected(*metrics, resource=RESOURCE), **options)

    def points(self, name):
        data = self._reader.get_metrics_data()
        scopes = data.resource_metrics[0].scope_metrics if data else []
        return [
            point
            for scope in scopes
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def by(self, name, attribute):
        return {point.attributes.get(attribute): point.value for point in self.points(name) if point.value}


@pytest.fixture
def watch(monkeypatch, receiver):
    monkeypatch.setenv(SELF_METRICS, "true")
    watched = []

    def start(url=receiver.url, **settings):
        watched.append(Watched(url, **settings))
        return watched[-1]

    yield start
    for each in watched:
        each.exporter.shutdown()


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@pytest.mark.parametrize("max_samples", [2000, 3])
def test_each_data_point_is_counted_once_whatever_it_becomes(watch, receiver, protocol, max_samples):
    exporter = watch(protocol=protocol, max_samples_per_send=max_samples, stale_markers=True, histogram_min_max=True)
    points = [point(number, {"at": str(number)}) for number in range(7)]
    for _ in range(3):
        exporter.export(counter(*points), histogram(histogram_point(), histogram_point(attributes={"at": "a"})))
    exporter.export()
    assert exporter.by(EXPORTED, "error.type") == {None: 3 * 9}
    assert not receiver.rejected


def test_what_is_not_sent_has_a_reason(watch):
    exporter = watch(max_series=2)
    exporter.export(counter(point(1.0, {"at": "a"}), point(1.0, {"at": "b"}), point(1.0, {"at": "c"})))
    exporter.export(gauge(point("no number")), gauge(point(1.0), name="..."))
    assert exporter.by(EXPORTED, "error.type") == {None: 2, "limit": 1, "untranslatable": 2}
    assert exporter.by(f"{OURS}.series.dropped", "prometheus_remote_write.metric") == {"hits": 1}
    assert exporter.by(f"{OURS}.series.limit", None) == {None: 2}


def test_what_a_receiver_refuses_is_rejected(watch, receiver):
    exporter = watch(protocol="2.0")
    receiver.script.append(ScriptedAnswer(400, body=b"no"))
    exporter.export(counter(point(1.0, {"at": "a"}), point(1.0, {"at": "b"})))
    lost = exporter.by(EXPORTED, "error.type")
    assert sum(lost.values()) == 2
    assert None not in lost


def test_what_waits_is_in_flight_until_the_receiver_is_back(watch, receiver):
    exporter = watch()
    receiver.script.extend([ScriptedAnswer(503)] * 50)
    exporter.export(counter(point(1.0, {"at": "a"}), point(1.0, {"at": "b"})), timeout_millis=200)
    assert exporter.by(INFLIGHT, "error.type") == {None: 2}
    assert exporter.by(EXPORTED, "error.type") == {}
    assert exporter.by(f"{OURS}.backlog.size", None)
    receiver.script.clear()
    exporter.export()
    assert exporter.by(INFLIGHT, "error.type") == {}
    assert exporter.by(EXPORTED, "error.type") == {None: 2}


def test_a_process_that_ends_says_what_it_lost(watch, receiver):
    exporter = watch()
    receiver.script.extend([ScriptedAnswer(503)] * 50)
    exporter.export(counter(point(1.0)), timeout_millis=200)
    exporter.exporter.shutdown()
    assert exporter.by(EXPORTED, "error.type") == {"at_exit": 1}


def test_attributes_name_the_component_and_the_receiver(watch, receiver):
    exporter = watch()
    exporter.export(counter(point(1.0)))
    [exported] = exporter.points(EXPORTED)
    name = exported.attributes["otel.component.name"]
    assert name.startswith("prometheus_remote_write_exporter/")
    assert dict(exported.attributes) == {
        "otel.component.type": "prometheus_remote_write_exporter",
        "otel.component.name": name,
        "server.address": "127.0.0.1",
        "server.port": urlsplit(receiver.url).port,
    }


def test_the_duration_of_each_export_is_recorded(watch, receiver):
    exporter = watch()
    exporter.export(counter(point(1.0)))
    receiver.script.extend([ScriptedAnswer(401)] * 5)
    exporter.export(counter(point(2.0, at=NOW + 1000)))
    counts = {each.attributes.get("http.response.status_code"): each.count for each in exporter.points(DURATION)}
    assert counts == {None: 1, 401: 1}


def test_the_version_is_the_one_that_is_set(watch):
    exporter = watch(protocol="1.0")
    exporter.export(counter(point(1.0)))
    assert exporter.by(f"{OURS}.protocol", "network.protocol.version") == {"1.0": 1}


def test_bytes_requests_and_the_version_are_told(watch):
    exporter = watch(protocol="2.0")
    exporter.export(counter(*[point(1.0, {"at": "x" * 100 + str(number)}) for number in range(50)]))
    sent = exporter.by(f"{OURS}.sent", "prometheus_remote_write.body")
    assert 0 < sent["compressed"] < sent["uncompressed"]
    assert exporter.by(f"{OURS}.requests", "http.response.status_code") == {204: 1}
    assert exporter.by(f"{OURS}.protocol", "network.protocol.version") == {"2.0": 1}
    assert exporter.by(f"{OURS}.last_success.timestamp", None)


def test_a_token_file_that_cannot_be_read_again_is_told(watch, tmp_path):
    token = tmp_path / "token"
    token.write_text("first")
    exporter = watch(bearer_token_file=str(token))
    exporter.export(counter(point(1.0)))
    assert [each.value for each in exporter.points(FAILURES)] == [0]
    token.unlink()
    exporter.export(counter(point(2.0, at=NOW + 1000)))
    assert exporter.by(FAILURES, "prometheus_remote_write.secret") == {"bearer_token_file": 1}
    token.write_text("second")
    exporter.export(counter(point(3.0, at=NOW + 2000)))
    assert exporter.by(FAILURES, "prometheus_remote_write.secret") == {"bearer_token_file": 1}
    exporter.exporter.after_fork()
    exporter.export(counter(point(4.0, at=NOW + 3000)))
    assert exporter.by(FAILURES, "prometheus_remote_write.secret") == {}


@pytest.mark.parametrize(
    ("settings", "secret"),
    [
        ({"tls_config": {"ca_file": "/nowhere/ca.pem"}}, "certificate"),
        ({"basic_auth": {"username": "u", "password_file": "/nowhere/password"}}, "password_file"),
        (
            {
                "auth": "oauth2",
                "oauth2_client_id": "c",
                "oauth2_client_secret": "s",
                "oauth2_token_url": "https://127.0.0.1:9/token",
            },
            "oauth2",
        ),
    ],
    ids=["certificate", "password_file", "oauth2"],
)
def test_each_secret_that_cannot_be_had_is_told(watch, settings, secret):
    exporter = watch("https://127.0.0.1:9/api/v1/write", **settings, min_backoff=120_000, max_backoff=120_000)
    exporter.export(counter(point(1.0)), timeout_millis=60_000)
    told = exporter.by(FAILURES, "prometheus_remote_write.secret")
    assert list(told) == [secret]


def test_where_no_secret_is_used_none_is_told(watch):
    exporter = watch()
    exporter.export(counter(point(1.0)))
    assert exporter.points(FAILURES) == []


def test_two_exporters_tell_apart(watch):
    first, second = watch(), watch()
    second.exporter.set_meter_provider(first._provider)
    first.export(counter(point(1.0)))
    assert len(first.points(EXPORTED)) == 1


def test_where_it_is_not_switched_on_there_is_nothing(receiver):
    exporter = Watched(receiver.url)
    exporter.export(counter(point(1.0)))
    assert exporter.points(EXPORTED) == []
    exporter.exporter.shutdown()


def test_a_forked_child_counts_from_zero(watch):
    watched = watch(max_series=2)
    watched.export(*(gauge(point(1.0), name=f"level{number}") for number in range(4)))
    assert watched.by(EXPORTED, "error.type")["limit"]
    watched.exporter.after_fork()
    assert watched.by(EXPORTED, "error.type") == {}
    assert watched.by(f"{OURS}.series.dropped", "prometheus_remote_write.metric") == {}
    assert watched.points(f"{OURS}.last_success.timestamp") == []
