"""Answers of real receivers, as they were recorded, over a real connection: what arrives, what counts, what is said."""

from __future__ import annotations

import logging
import os
import threading
import time
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from tests.collected import NOW, SERVICE, collected, gauge, histogram, point
from tests.transport.scripted_server import ScriptedServer, answer, raw

SUCCESS, FAILURE = MetricExportResult.SUCCESS, MetricExportResult.FAILURE
WRITTEN = "X-Prometheus-Remote-Write-{}-Written"


@pytest.fixture(autouse=True)
def _without_settings_of_the_machine(monkeypatch):
    for name in os.environ:
        if name.startswith(PREFIX) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


# One attempt: the wait before a second would be longer than the export may take.
ONCE = {"min_backoff": 120_000, "max_backoff": 120_000}


class Post:
    """A request as a receiver reads it."""

    def __init__(self, request):
        self.protocol = "2.0" if "proto=" in request.headers["content-type"] else "1.0"
        self.series = decode(self.protocol, decompress(request.body, 1 << 30)).series
        self.names = [dict(each.labels)["__name__"] for each in self.series]
        self.samples = sum(len(each.samples) for each in self.series)
        self.histograms = sum(len(each.histograms) for each in self.series)
        self.exemplars = sum(len(each.exemplars) for each in self.series)
        self.metadata = len(self.series) if self.protocol == "2.0" else 0

    def written(self, samples=None, histograms=None, exemplars=None):
        counts = {"Samples": samples, "Histograms": histograms, "Exemplars": exemplars}
        sent = {"Samples": self.samples, "Histograms": self.histograms, "Exemplars": self.exemplars}
        return {WRITTEN.format(kind): str(sent[kind] if count is None else count) for kind, count in counts.items()}


class Pushing:
    """An exporter with short waits, and a server that answers each of its posts as a function says.

    The function returns a status with a body and headers; None accepts.
    """

    def __init__(self, server_stack, receive, **settings):
        self.receive = receive
        self.posts = []
        self.accepted = []
        self._lock = threading.Lock()
        self.server = server_stack.enter_context(ScriptedServer(self._behave))
        given = {"min_backoff": 1, "max_backoff": 2, "disable_target_info": True, "disable_scope_labels": True}
        self.exporter = PrometheusRemoteWriteMetricsExporter(f"{self.server.url}/api/v1/push", **given | settings)
        server_stack.callback(self.exporter.shutdown)
        self._exports = 0

    def _behave(self, exchange):
        post = Post(exchange.request)
        said = self.receive(post)
        with self._lock:
            if post.series:
                self.posts.append(post)
            if said is None or said[0] < 300:
                self.accepted += [(name, s.timestamp) for name, each in zip(post.names, post.series, strict=True)
                                  for s in (*each.samples, *each.histograms)]  # fmt: skip
        if said is None:
            said = (204, b"", post.written() if post.protocol == "2.0" else {})
        status, body, headers = said
        return answer(status, headers, body)(exchange)

    def push(self, *metrics, timeout_millis=60_000, **keywords):
        self._exports += 1
        made = [metric(self._exports) for metric in metrics] or [
            gauge(point(1, {"number": number}, at=NOW + self._exports)) for number in range(1)
        ]
        return self.exporter.export(collected(*made, **keywords), timeout_millis=timeout_millis)

    @property
    def counts(self):
        samples = self.exporter._data_path.delivery.samples
        return {outcome.value: number for outcome, number in samples.items() if number}


@pytest.fixture
def pushing(server_stack):
    """pushing(receive, setting=...): an exporter and its receiver."""
    return lambda receive, **settings: Pushing(server_stack, receive, **settings)


def points(count):
    """A metric with some series, at a time of its own in each export."""
    return lambda export: gauge(*(point(export, {"number": n}, at=NOW + export * 1000) for n in range(count)))


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# --- too large ---


@pytest.mark.parametrize("protocol", ["auto", "1.0", "2.0"])
@pytest.mark.parametrize("counted", [False, True], ids=["without counts", "with counts of zero"])
@pytest.mark.parametrize(
    ("status", "text"),
    [
        pytest.param(400, b"received message larger than max (9321 vs. 4096)\n", id="Cortex"),
        pytest.param(
            400,
            b"the incoming push request has been rejected because its message size of 9321 bytes is larger than the "
            b"allowed limit of 4096 bytes (err-mimir-distributor-max-write-message-size). To adjust the related limit, "
            b"configure -distributor.max-recv-msg-size, or contact your service administrator.\n",
            id="Mimir",
        ),
        pytest.param(
            500,
            b"rpc error: code = ResourceExhausted desc = grpc: received message larger than max (9321 vs. 4096)\n",
            id="an ingester behind gRPC",
        ),
        pytest.param(413, b"<html><head><title>413 Request Entity Too Large</title></head></html>", id="nginx"),
    ],
)
def test_requests_that_are_too_large_arrive_in_parts(pushing, caplog, *, protocol, counted, status, text):
    def receive(post):
        if post.samples > 12:
            return status, text, post.written(0, 0, 0) if counted and post.protocol == "2.0" else {}
        return None

    push = pushing(receive, protocol=protocol)
    assert [push.push(points(50)) for _ in range(3)] == [SUCCESS] * 3
    assert push.counts == {"accepted": 150}
    assert {post.protocol for post in push.posts} == {"1.0" if protocol == "1.0" else "2.0"}
    assert max(post.samples for post in push.posts[-5:]) <= 12
    assert warnings(caplog) == []


# --- refused in part ---


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        pytest.param(
            0, b"user=fake: err: out of order sample. timestamp=2025-06-15T15:06:40Z", id="Cortex claims none"
        ),
        pytest.param(
            None, b"the sample has been rejected because (err-mimir-sample-out-of-order)", id="Mimir claims all"
        ),
    ],
)
def test_what_was_kept_of_a_refused_request_of_2_0_is_unknown(pushing, caplog, claim, text):
    push = pushing(lambda post: (400, text, post.written(claim, claim, claim)), protocol="2.0")
    assert push.push(points(20)) is FAILURE
    assert push.counts == {"unknown": 20}
    (line,) = warnings(caplog)
    assert "some of 20 samples were refused" in line


def test_a_conflict_of_thanos_costs_the_bad_series_alone(pushing, caplog):
    """Thanos 0.42: 409, and no 2.0: it answers 200 to that and stores nothing."""

    def receive(post):
        if post.protocol == "2.0":
            return 200, b"", {}
        if any(dict(series.labels).get("number") == "7" for series in post.series):
            return 409, b"store locally for endpoint : conflict: add 1 samples: out of order sample\n", {}
        return None

    push = pushing(receive)
    assert push.push(points(20)) is FAILURE
    assert push.counts == {"accepted": 19, "rejected": 1}
    (line,) = warnings(caplog)
    assert "number='7'" in line
    assert "service.instance.id" in line


def test_a_good_series_beside_a_bad_one_is_back_after_one_export(pushing):
    bad = {"3", "7"}

    def receive(post):
        if any(dict(series.labels).get("number") in bad for series in post.series):
            return 400, b"duplicate sample for timestamp", {}
        return None

    push = pushing(receive, protocol="1.0")
    push.push(points(20))
    bad.discard("7")
    push.push(points(20))
    assert push.counts == {"accepted": 18 + 19, "rejected": 2 + 1}
    push.posts.clear()
    push.push(points(20))
    assert [post.samples for post in push.posts if post.samples] == [19, 1]


# --- limits ---


@pytest.mark.parametrize("protocol", ["auto", "1.0"])
def test_a_request_above_a_burst_that_counts_metadata_arrives(pushing, caplog, protocol):
    """Cortex counts the metadata that 2.0 sends with each series: 41 samples are 82."""

    def receive(post):
        if post.samples + post.metadata > 50:
            text = (
                f"ingestion rate limit (50) exceeded while adding {post.samples} samples and {post.metadata} metadata"
            )
            return 429, text.encode(), {}
        return None

    push = pushing(receive, protocol=protocol)
    number = 41 if protocol == "auto" else 82
    assert push.push(points(number)) is SUCCESS
    assert push.counts == {"accepted": number}
    push.posts.clear()
    assert push.push(points(number)) is SUCCESS
    assert len(push.posts) == 2
    said = [line for line in warnings(caplog) if "accepts 1.0 but refuses 2.0" in line]
    assert len(said) == (protocol == "auto")


def test_a_limit_on_requests_makes_no_more_of_them(pushing, caplog):
    """Mimir's request rate: halves would be refused sooner."""
    text = (
        b"the request has been rejected because the tenant exceeded the request rate limit, set to 1 requests/s across "
        b"all distributors with a maximum allowed burst of 1 (err-mimir-tenant-max-request-rate)"
    )
    push = pushing(lambda _post: (429, text, {}), protocol="1.0", **ONCE)
    for _ in range(12):
        assert push.push(points(20)) is FAILURE
    assert len(push.posts) == 12
    assert {post.samples for post in push.posts} == {20}
    (line,) = warnings(caplog)
    assert f"{PREFIX}MAX_SAMPLES_PER_SEND" in line


class Cortex:
    """Its rate limit: a burst, then so many a second of samples and metadata together."""

    def __init__(self, rate, burst):
        self._rate, self._burst = rate, burst
        self._held, self._at = burst, time.monotonic()
        self._lock = threading.Lock()
        self.refused = 0

    def __call__(self, post):
        with self._lock:
            now = time.monotonic()
            self._held, self._at = min(self._burst, self._held + (now - self._at) * self._rate), now
            if post.samples + post.metadata > self._held:
                self.refused += 1
                text = (
                    f"ingestion rate limit ({self._rate}) exceeded while adding {post.samples} samples and "
                    f"{post.metadata} metadata\n"
                )
                return 429, text.encode(), {}
            self._held -= post.samples + post.metadata
        return None


@pytest.mark.parametrize("protocol", ["auto", "1.0"])
def test_after_a_burst_below_one_request_the_next_exports_are_hardly_refused(pushing, protocol):
    cortex = Cortex(rate=4000, burst=90)
    push = pushing(cortex, protocol=protocol, min_backoff=5, max_backoff=40)
    number = 70 if protocol == "auto" else 140
    refused = []
    for _ in range(12):
        cortex.refused = 0
        assert push.push(points(number)) is SUCCESS
        refused.append(cortex.refused)
    assert push.counts == {"accepted": 12 * number}
    assert refused[0] >= 3
    assert sorted(refused[4:])[len(refused[4:]) // 2] == 0, refused


def test_what_is_above_thanos_limit_of_series_waits_whole_until_there_are_fewer(pushing, caplog):
    """Thanos' head_series_limit: 429 to every request of the tenant, however small, until it has fewer series."""
    head = SimpleNamespace(series=11)

    def receive(_post):
        return (429, b"tenant is above active series limit\n", {}) if head.series > 10 else None

    push = pushing(receive, protocol="1.0", **ONCE)
    for _ in range(12):
        assert push.push(points(20)) is FAILURE
    assert len(push.posts) == 12
    assert {post.samples for post in push.posts} == {20}
    (line,) = warnings(caplog)
    assert "limits the number of series" in line
    head.series = 1
    assert push.push(points(20)) is SUCCESS
    assert push.counts == {"accepted": 13 * 20}


@pytest.mark.parametrize(
    ("status", "text", "names"),
    [
        (400, b'sample invalid metric name: "http.server.duration"', "TRANSLATION_STRATEGY"),
        (400, b"series has too many labels (actual: 41, limit: 30) series: 'target_info{}'", "DISABLE_TARGET_INFO"),
        (
            400,
            b"received a series whose label value length exceeds (err-mimir-label-value-too-long)",
            "MAX_LABEL_VALUE",
        ),
        (400, b"per-user series limit of 150000 exceeded (err-mimir-max-series-per-user)", "limit"),
        (400, b"received an exemplar (err-mimir-max-exemplars)", "DISABLE_EXEMPLARS"),
        (400, b"timestamp too new: 1750000000000 metric: up", "clock"),
        (400, b"start timestamp is after the sample's timestamp", "clock"),
    ],
)
@pytest.mark.parametrize("protocol", ["auto", "1.0"])
def test_each_limit_has_its_hint(pushing, caplog, *, status, text, names, protocol):
    push = pushing(
        lambda post: (status, text, post.written(0, 0, 0) if post.protocol == "2.0" else {}), protocol=protocol
    )
    assert push.push() is FAILURE
    (line,) = warnings(caplog)
    assert names in line


# --- the Collector ---


def collector(post):
    """It speaks 2.0 alone, makes target_info the resource, counts no exemplars and drops classic histograms."""
    if post.protocol == "1.0":
        return 415, b"Unsupported proto version", {}
    counted = sum(not name.startswith(("target_info", "duration")) for name in post.names)
    return 204, b"", post.written(counted, exemplars=0)


def test_the_collector_is_no_failure(pushing, caplog):
    push = pushing(collector, disable_target_info=False)
    attributes = {**SERVICE, "service.instance.id": "1", "host.name": "pod"}
    assert [push.push(points(3), resource=attributes) for _ in range(3)] == [SUCCESS] * 3
    assert push.counts == {"accepted": 12}
    (line,) = warnings(caplog)
    assert f"{PREFIX}CONVERT_HISTOGRAMS_TO_NHCB=true" in line


def test_classic_histograms_that_the_collector_drops_are_a_failure_with_the_way_out(pushing, caplog):
    push = pushing(collector)
    assert push.push(points(3), lambda _export: histogram(name="duration")) is FAILURE
    assert push.counts == {"accepted": 3, "rejected": 5}
    (line,) = warnings(caplog)
    assert f"{PREFIX}CONVERT_HISTOGRAMS_TO_NHCB=true" in line


# --- http and https ---


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"Client sent an HTTP request to an HTTPS server.\n", id="Go: Prometheus, Cortex, Mimir, Thanos"),
        pytest.param(b"<html><center>The plain HTTP request was sent to HTTPS port</center></html>", id="nginx"),
        pytest.param(b"You're speaking plain HTTP to an SSL-enabled server port.", id="Apache"),
    ],
)
@pytest.mark.parametrize("protocol", ["auto", "1.0", "2.0"])
def test_a_plain_request_to_a_server_with_tls_is_told_before_any_search(pushing, caplog, text, protocol):
    push = pushing(lambda _post: (400, text, {}), protocol=protocol)
    assert push.push(points(20)) is FAILURE
    assert len(push.posts) == 1
    (record,) = caplog.records
    assert "the receiver speaks TLS: write https://" in record.getMessage()


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        pytest.param(b"", "if the receiver speaks TLS, write https://", id="closed at once"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x46", "the receiver speaks TLS: write https://", id="an alert of TLS"),
    ],
)
def test_a_server_with_tls_that_does_not_answer_by_http_gets_the_same_guess(server_stack, caplog, answered, said):
    server = server_stack.enter_context(ScriptedServer(raw(answered)))
    exporter = PrometheusRemoteWriteMetricsExporter(f"{server.url}/api/v1/push", **ONCE)
    server_stack.callback(exporter.shutdown)
    assert exporter.export(collected(gauge(point(1))), timeout_millis=60_000) is FAILURE
    (line,) = warnings(caplog)
    assert said in line


def test_a_login_page_is_told_and_nothing_counts_as_accepted(pushing, caplog):
    push = pushing(lambda _post: (200, b"<!DOCTYPE html><title>Sign in</title>", {"Content-Type": "text/html"}))
    assert push.push(points(20)) is FAILURE
    assert push.counts == {"rejected": 20}
    assert {post.protocol for post in push.posts} == {"2.0"}
    (line,) = warnings(caplog)
    assert "login page" in line


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_named(server_stack, caplog, scheme):
    refused = raw(b"HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\nContent-Length: 0\r\n\r\n")
    proxy = server_stack.enter_context(ScriptedServer(refused))
    exporter = PrometheusRemoteWriteMetricsExporter(
        f"{scheme}://receiver.example/write", proxies={scheme: proxy.url}, **ONCE
    )
    server_stack.callback(exporter.shutdown)
    assert exporter.export(collected(gauge(point(1))), timeout_millis=60_000) is FAILURE
    (line,) = warnings(caplog)
    assert f"the proxy {proxy.url} answered 403" in line
    assert "USERNAME" not in line


# --- the clock ---


@pytest.mark.parametrize(
    ("date", "words"), [("Sun, 06 Nov 1994 08:49:37 GMT", "ahead of"), ("Sun, 06 Nov 2094 08:49:37 GMT", "behind")]
)
def test_a_clock_that_differs_from_the_receivers_is_told_first(pushing, caplog, date, words):
    push = pushing(lambda _post: (400, b"out of order sample", {"Date": date}), protocol="1.0")
    assert push.push() is FAILURE
    (line,) = warnings(caplog)
    assert words in line
    assert "service.instance.id" not in line


def test_a_verdict_on_a_batch_does_not_hit_the_batch_of_another_pipeline(pushing):
    """A new pipeline numbered its batches from 0 again, and a batch that was hopeless before was not searched."""
    bad = SimpleNamespace(all=True)

    def receive(post):
        if bad.all or any(dict(series.labels).get("number") == "7" for series in post.series):
            return 400, b"out of order sample", {}
        return None

    push = pushing(receive, protocol="1.0")
    push.push(points(40))
    assert push.exporter.export(None) is FAILURE  # something of ours goes wrong, and the pipeline is made anew
    bad.all = False
    push.push(points(40))
    assert push.counts == {"rejected": 41, "accepted": 39}
