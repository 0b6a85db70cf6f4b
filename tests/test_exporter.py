from __future__ import annotations

import base64
import logging
import math
import os
import re
import subprocess
import sys
import threading
import time
from copy import deepcopy
from pathlib import Path

import pytest
import snappy
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, ExponentialBucketHistogramAggregation

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX
from opentelemetry.exporter.prometheus_remote_write.errors import Retryable
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.model.transport import BaseTransport
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.version import __version__
from tests import fake_receiver
from tests.application import run
from tests.collected import NOW, collected, counter, exponential_histogram, gauge, histogram, point
from tests.transport.scripted_server import ScriptedServer, answer, raw, silent

SUCCESS, FAILURE = MetricExportResult.SUCCESS, MetricExportResult.FAILURE
FOLDER = Path(__file__).parent
LONG = 3600  # seconds or thousands of milliseconds: a test that waits for so long does not end in time


@pytest.fixture(autouse=True)
def _without_settings_of_the_machine(monkeypatch):
    for name in os.environ:
        if name.startswith(PREFIX) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def start_server(server_stack):
    """start_server(behaviour): a scripted server, stopped after the test."""
    return lambda behaviour: server_stack.enter_context(ScriptedServer(behaviour))


@pytest.fixture
def make_exporter(server_stack):
    """make_exporter(endpoint, **settings): an exporter, shut down after the test."""

    def make(endpoint=None, **settings):
        exporter = PrometheusRemoteWriteMetricsExporter(endpoint=endpoint, **settings)
        server_stack.callback(exporter.shutdown)
        return exporter

    return make


def data(number=1):
    """An export at a time of its own."""
    return collected(counter(point(number, at=NOW + number)))


def messages(caplog, level=logging.WARNING):
    return [record.getMessage() for record in caplog.records if record.levelno == level]


# --- to a receiver ---


@pytest.mark.parametrize("protocol", ["1.0", "2.0", "auto"])
def test_what_was_collected_arrives(receiver, make_exporter, protocol, caplog):
    exporter = make_exporter(receiver.url, protocol=protocol)
    metrics = [counter(point(3)), gauge(), histogram(), exponential_histogram()]
    assert exporter.export(collected(*metrics)) is SUCCESS
    assert receiver.values("hits_total", job="shop") == [3.0]
    assert receiver.values("latency_bucket", le="+Inf") == [3.0]
    assert receiver.series("size")[0].histograms[0].count == 3
    assert not receiver.rejected
    assert not caplog.records
    assert exporter.force_flush()


def test_an_export_of_nothing_is_a_success_without_a_request(receiver, make_exporter):
    assert make_exporter(receiver.url).export(MetricsData([])) is SUCCESS
    assert not receiver.received


def test_exports_share_a_connection(receiver, make_exporter):
    exporter = make_exporter(receiver.url)
    assert [exporter.export(data(number)) for number in (1, 2, 3)] == [SUCCESS] * 3
    assert receiver.values("hits_total") == [1.0, 2.0, 3.0]
    assert receiver.connections == 1


def test_the_user_agent_names_us_and_our_version(receiver, make_exporter):
    make_exporter(receiver.url).export(data())
    assert receiver.received[0].headers["User-Agent"] == f"OTel-Prometheus-Remote-Write-Exporter-Python/{__version__}"


@pytest.mark.parametrize("way", ["keyword", "variable"])
def test_headers_are_the_users_but_for_those_of_the_protocol(receiver, make_exporter, monkeypatch, caplog, way):
    given = {"X-Scope-OrgID": "5", "content-type": "text/plain", "Content-Encoding": "gzip", "user-agent": "me"}
    given["X-Prometheus-Remote-Write-Version"] = "9"
    if way == "variable":
        monkeypatch.setenv(f"{PREFIX}HEADERS", ",".join(f"{name}={value}" for name, value in given.items()))
    exporter = make_exporter(receiver.url, **({"headers": given} if way == "keyword" else {}))
    assert exporter.export(data()) is SUCCESS  # this receiver looks at each of them
    assert receiver.received[0].headers["X-Scope-OrgID"] == "5"
    assert receiver.received[0].headers.get_all("Content-Type") == [
        "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    ]
    ignored = [re.search(r"sets ([\w-]+),", message) for message in messages(caplog)]
    assert {match.group(1) for match in ignored} == given.keys() - {"X-Scope-OrgID"}


def test_requests_are_no_larger_than_the_setting_says(receiver, make_exporter):
    many = [point(1, {"number": number}) for number in range(25)]
    assert make_exporter(receiver.url, max_samples_per_send=10).export(collected(gauge(*many))) is SUCCESS
    assert sorted(len(request.series) for request in receiver.received if request.series) == [5, 10, 10]


# --- failures ---


def test_a_refusal_is_one_warning_with_its_status_and_the_beginning_of_what_was_said(make_exporter, caplog):
    said = b"out of order\nsample " + b"x" * 1000
    with Receiver(answers=[ScriptedAnswer(400, body=said)] * 9) as receiver:
        assert make_exporter(receiver.url, protocol="1.0").export(data()) is FAILURE
    [warning] = messages(caplog)
    assert "400" in warning
    assert "out of order sample xxx" in warning
    assert 100 < warning.count("x") < 300
    assert "\n" not in warning


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(answer(500), id="an error that may pass"),
        pytest.param(answer(401), id="a refusal"),
        pytest.param(answer(302, {"Location": "http://localhost/login"}), id="a redirect"),
        pytest.param(raw(b""), id="a closed connection"),
        pytest.param(raw(b"no HTTP at all\r\n\r\n"), id="another protocol"),
        pytest.param(raw(b"HTTP/1.1 two hundred\r\n\r\n"), id="a broken answer"),
        pytest.param(silent, id="silence"),
    ],
)
def test_whatever_a_receiver_does_export_fails_without_raising(start_server, make_exporter, caplog, behaviour):
    exporter = make_exporter(start_server(behaviour).url, protocol="1.0", timeout=LONG)
    assert exporter.export(data(), timeout_millis=300) is FAILURE
    assert not exporter.force_flush()
    assert len(caplog.records) == 1


def test_where_nobody_listens_export_fails_without_raising(make_exporter, caplog):
    with Receiver() as closed:
        pass
    assert make_exporter(closed.url).export(data(), timeout_millis=300) is FAILURE
    assert len(caplog.records) == 1


def test_what_failed_to_arrive_is_told_by_the_next_export(make_exporter):
    with Receiver(answers=[ScriptedAnswer(400), ScriptedAnswer(400), None, None]) as receiver:
        exporter = make_exporter(receiver.url, protocol="1.0")
        assert [exporter.export(data(number)) for number in (1, 2)] == [FAILURE, SUCCESS]
        assert receiver.values("hits_total") == [2.0]
        assert exporter.force_flush()


def test_what_is_not_sent_at_all_is_not_accepted_either(receiver, make_exporter):
    exporter = make_exporter(receiver.url)
    exporter.export(data())
    exporter.shutdown()
    assert exporter.force_flush()
    exporter.export(data(2))
    assert not exporter.force_flush()


def test_a_flush_waits_for_the_export_that_is_under_way(make_exporter, server_stack):
    asked, answered = threading.Event(), threading.Event()

    def late(_request):
        asked.set()
        assert answered.wait(60)

    receiver = server_stack.enter_context(Receiver(answers=late))
    exporter = make_exporter(receiver.url)
    thread = threading.Thread(target=exporter.export, args=(data(),))
    thread.start()
    assert asked.wait(60)
    assert not exporter.force_flush(timeout_millis=0)
    answered.set()
    assert exporter.force_flush(timeout_millis=math.inf)
    thread.join()


def test_an_export_takes_no_longer_than_its_timeout(start_server, make_exporter):
    exporter = make_exporter(start_server(silent).url, timeout=LONG)
    assert exporter.export(data(), timeout_millis=200) is FAILURE


@pytest.mark.parametrize("timeout_millis", [0, -5, 0.001], ids=str)
def test_an_export_without_time_fails(receiver, make_exporter, timeout_millis):
    assert make_exporter(receiver.url).export(data(), timeout_millis=timeout_millis) is FAILURE


@pytest.mark.parametrize(
    "rubbish",
    [
        None,
        "metrics",
        7,
        MetricsData(None),
        MetricsData([None]),
        MetricsData(["a"]),
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
def test_whatever_is_exported_nothing_is_raised_and_the_next_export_is_sound(receiver, make_exporter, caplog, rubbish):
    exporter = make_exporter(receiver.url)
    assert exporter.export(data(1)) is SUCCESS
    assert exporter.export(rubbish) is FAILURE
    [error] = messages(caplog, logging.ERROR)
    assert error.startswith("Export failed: internal exporter error (")
    assert exporter.export(data(2)) is SUCCESS
    assert receiver.values("hits_total") == [1.0, 2.0]


def test_what_ends_the_application_is_passed_on_and_the_next_export_is_sound(receiver, make_exporter, caplog):
    class Interrupted:
        resource_metrics = property(lambda _: (_ for _ in ()).throw(KeyboardInterrupt))

    exporter = make_exporter(receiver.url)
    assert exporter.export(data(1)) is SUCCESS
    with pytest.raises(KeyboardInterrupt):
        exporter.export(Interrupted())
    assert exporter.force_flush() is False
    assert exporter.export(data(2)) is SUCCESS
    assert receiver.values("hits_total") == [1.0, 2.0]
    assert not caplog.records


# --- its life ---


def test_after_shutdown_nothing_is_sent(receiver, make_exporter, caplog):
    exporter = make_exporter(receiver.url)
    exporter.shutdown()
    assert exporter.export(data()) is FAILURE
    assert not receiver.received
    assert not caplog.records


@pytest.mark.parametrize("arguments", [{"timeout": -0.2}, {"timeout_millis": 0}, {"timeout_millis": -1}, {}], ids=str)
def test_shutdown_may_have_any_timeout_and_be_repeated(receiver, make_exporter, arguments):
    exporter = make_exporter(receiver.url)
    exporter.export(data())
    exporter.shutdown(**arguments)
    exporter.shutdown(**arguments)
    assert exporter.export(data(2)) is FAILURE


def test_shutdown_closes_the_connection(receiver, make_exporter):
    exporter = make_exporter(receiver.url)
    exporter.export(data())
    exporter.shutdown()
    receiver.close()  # joins a thread for each connection that is open


def test_a_reader_flushes_and_shuts_down(receiver):
    exporter = PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url)
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=LONG * 1000)])
    hits = provider.get_meter("tests").create_counter("hits")
    hits.add(1)
    assert provider.force_flush()
    assert receiver.values("hits_total") == [0.0, 1.0]
    hits.add(1)
    provider.shutdown()
    assert receiver.values("hits_total") == [0.0, 1.0, 2.0]


def test_flushes_one_right_after_the_other_have_times_of_their_own():
    accepting = fake_receiver.Receiver(time.monotonic)
    exporter = PrometheusRemoteWriteMetricsExporter(endpoint="http://localhost/write", transport=accepting)
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=LONG * 1000)])
    hits = provider.get_meter("tests").create_counter("hits")
    for _ in range(100):
        hits.add(1)
        assert provider.force_flush()
    provider.shutdown()
    times = [
        sample.timestamp
        for post in accepting.accepted
        for series in post.message.series
        if dict(series.labels)["__name__"] == "hits_total"
        for sample in series.samples
    ]
    assert times == sorted({*times})
    assert len(times) > 100  # with the end, and the beginning where that was a millisecond before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_exports_over_a_connection_of_its_own(receiver):
    script = FOLDER / "exports_around_a_fork.py"
    subprocess.run([sys.executable, script, receiver.url], cwd=FOLDER.parent, check=True, timeout=60, env=importing())
    assert [sample.value for series in receiver.series("level") for sample in series.samples] in (
        [1.0, 2.0, 3.0],
        [1.0, 3.0, 2.0],  # opentelemetry-sdk 1.42 and before: the exporter makes up an id, and the child's is another
    )
    assert receiver.connections == 2
    parent, child, parent_again = ports_by_value(receiver)
    assert parent == parent_again != child


def importing():
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")])}


def ports_by_value(receiver):
    return [request.client_port for request in receiver.received if request.series]


@pytest.mark.parametrize(
    "interval",
    [
        pytest.param(LONG * 1000, id="the last export"),
        pytest.param(10, id="an export that is under way, and the last"),
    ],
)
def test_exit_is_not_held_up_by_a_receiver_that_accepts_and_says_nothing(start_server, interval):
    arrived = threading.Event()

    def never_answer(exchange):
        arrived.set()
        return silent(exchange)

    server = start_server(never_answer)
    process = subprocess.Popen(
        [sys.executable, FOLDER / "exit_during_export.py", server.url, str(interval)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=importing(),
    )
    with process:
        if interval == 10:
            assert arrived.wait(60)
        process.stdin.write(b"\n")
        process.stdin.flush()
        said = process.stdout.readline()
        # The SDK's reader would wait for 30 seconds, the request for an hour; two seconds are allowed.
        output, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert (said, output) == (b"end of the application\n", b"")
    assert b"Traceback" not in errors
    # On a busy machine the time may be over before the last export has a connection, which is said.
    assert arrived.is_set() or b"Metrics are lost" in errors


@pytest.mark.parametrize("reader", [Controller, PeriodicExportingMetricReader])
def test_a_last_collection_that_hangs_is_said(receiver, caplog, reader):
    exporter = PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, shutdown_timeout=300)
    provider = MeterProvider([reader(exporter, export_interval_millis=LONG * 1000)], shutdown_on_exit=False)
    may_end = threading.Event()

    def observe(_options):
        may_end.wait(LONG)
        return ()

    provider.get_meter("tests").create_observable_gauge("hangs", [observe])
    try:
        provider.shutdown(timeout_millis=300)
        assert "Metrics are lost: the last collection or export did not end within SHUTDOWN_TIMEOUT" in caplog.messages
    finally:
        may_end.set()


class Deaf(BaseTransport):
    """A receiver that lets one wait, and is not interrupted: a thread that gets no processor is like that."""

    def __init__(self):
        self.asked, self.answers = threading.Semaphore(0), threading.Semaphore(0)

    def post(self, _body, _headers, _timeout):
        self.asked.release()
        assert self.answers.acquire(timeout=60)
        raise Retryable("nobody is there")


def test_an_export_that_does_not_notice_at_once_that_it_shall_end_still_does_so(make_exporter):
    deaf = Deaf()
    exporter = make_exporter("http://127.0.0.1:1/", min_backoff=1, max_backoff=1, transport=deaf)
    thread = threading.Thread(target=exporter.export, args=(data(), LONG * 1000))
    thread.start()
    assert deaf.asked.acquire(timeout=60)
    exporter.cut_short(0)
    deaf.answers.release()
    thread.join(60)
    assert not thread.is_alive()
    assert not deaf.asked.acquire(blocking=False)


def test_after_it_was_cut_short_an_export_takes_its_time_again(make_exporter):
    deaf = Deaf()
    exporter = make_exporter("http://127.0.0.1:1/", min_backoff=1, max_backoff=1, transport=deaf)
    exporter.cut_short(0)
    thread = threading.Thread(target=exporter.export, args=(data(), LONG * 1000))
    thread.start()
    for _ in range(3):
        assert deaf.asked.acquire(timeout=60)
        deaf.answers.release()
    exporter.cut_short(0)
    deaf.answers.release()
    thread.join(60)


# --- making one ---


def test_the_quickstart_works_as_written(start_server, tmp_path):
    proxy = start_server(answer(204))
    ended = run("python", FOLDER / "quickstart.py", str(proxy.port), cwd=tmp_path)
    assert ended.status == 0
    assert ended.errors == []
    request = proxy.requests[-1]
    assert (request.method, request.target) == ("POST", "http://localhost:9009/api/prom/push")
    assert request.headers["x-scope-org-id"] == "5"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"user:pass123").decode()
    names = {
        series.name
        for sent in proxy.requests
        if sent.headers["x-prometheus-remote-write-version"] == "0.1.0"
        for series in decode("1.0", snappy.uncompress(sent.body)).series
    }
    assert "hits_total" in names


BASIC = {"username": "user", "password": "secret-1"}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(
            {"basic_auth": BASIC, "headers": {"Authorization": "Bearer mytoken123"}}, id="password and header"
        ),
        pytest.param({"basic_auth": BASIC, "headers": {"authorization": "Bearer x"}}, id="header in lower case"),
        pytest.param({"basic_auth": BASIC, "bearer_token": "mytoken123"}, id="password and token"),
        pytest.param({"bearer_token": "x", "headers": {"Authorization": "Bearer y"}}, id="token and header"),
        pytest.param({"endpoint": "http://u:p@localhost/", "basic_auth": BASIC}, id="password and userinfo"),
        pytest.param({"basic_auth": BASIC | {"password_file": "f"}}, id="a password twice"),
        pytest.param({"basic_auth": {"username": "user"}}, id="no password"),
        pytest.param({"tls_config": {"key_file": "key.pem"}}, id="a key without its certificate"),
        pytest.param({"endpoint": ""}, id="no endpoint"),
        pytest.param({"endpoint": "localhost:9090"}, id="an endpoint without a scheme"),
        pytest.param({"endpoint": "ftp://localhost"}, id="an endpoint of another protocol"),
        pytest.param({"timeout": -1}, id="a negative timeout"),
        pytest.param({"translation_strategy": "Snake"}, id="an unknown word"),
        pytest.param({"max_samples_per_send": 0}, id="requests for nothing"),
    ],
)
def test_wrong_arguments_are_value_errors_that_tell_no_secret(arguments):
    with pytest.raises(ValueError) as error:
        PrometheusRemoteWriteMetricsExporter(**{"endpoint": "http://localhost:9009/"} | arguments)
    assert "secret-1" not in str(error.value)
    assert "mytoken123" not in str(error.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"endpont": "http://localhost"},
        {"basic_auth": "user:pass"},
        {"tls_config": {"ca": "x"}},
        {"resources_as_labels": "false"},
    ],
    ids=str,
)
def test_unknown_arguments_and_those_of_another_type_are_type_errors(arguments):
    with pytest.raises(TypeError):
        PrometheusRemoteWriteMetricsExporter(**{"endpoint": "http://localhost:9009/"} | arguments)


def test_a_bearer_token_in_a_header_is_a_way_to_authenticate(receiver, make_exporter):
    exporter = make_exporter(receiver.url, headers={"Authorization": "Bearer mytoken123"})
    assert exporter.export(data()) is SUCCESS
    assert receiver.received[0].headers["Authorization"] == "Bearer mytoken123"


def test_the_callers_mappings_are_left_as_they_are(receiver, make_exporter):
    given = {
        "basic_auth": dict(BASIC),
        "headers": {"X-A": "b", "Content-Type": "x"},
        "tls_config": {"insecure_skip_verify": True},
        "proxies": {},
        "external_labels": {"region": "eu", "empty": ""},
        "preferred_temporality": {},
        "preferred_aggregation": {},
    }
    before = deepcopy(given)
    make_exporter(receiver.url, **given).export(data())
    assert given == before


def test_the_predecessors_arguments_may_be_given_by_position():
    exporter = PrometheusRemoteWriteMetricsExporter("http://localhost:9009/", BASIC, {"X-A": "b"}, 5, {}, {}, True)  # noqa: FBT003
    assert exporter.settings.timeout == 5.0
    assert exporter.settings.headers == {"X-A": "b"}


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param(
            {"USERNAME": "user", "PASSWORD": "secret-1", "BEARER_TOKEN": "secret-2"}, id="two ways to authenticate"
        ),
        pytest.param({"USERNAME": "user"}, id="a user name without a password"),
        pytest.param({"CLIENT_KEY": "key.pem"}, id="a key without its certificate"),
        pytest.param({"HEADERS": "no header"}, id="headers that cannot be read"),
        pytest.param({"ENDPOINT": "not a url"}, id="an endpoint that is none"),
        pytest.param({"ENDPOINT": ""}, id="no endpoint"),
    ],
)
def test_where_the_environment_is_unsafe_nothing_is_sent_and_an_error_says_so(receiver, monkeypatch, caplog, variables):
    for name, value in ({"ENDPOINT": receiver.url} | variables).items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    exporter = PrometheusRemoteWriteMetricsExporter()
    [error] = messages(caplog, logging.ERROR)
    assert PREFIX in error
    assert "secret" not in caplog.text
    assert [exporter.export(data(number)) for number in (1, 2)] == [FAILURE] * 2
    assert not exporter.force_flush()
    exporter.shutdown()
    assert not receiver.received
    assert len(caplog.records) == 1


def test_where_the_environment_is_merely_wrong_the_default_is_used(receiver, monkeypatch, caplog):
    for name, value in {"ENDPOINT": receiver.url, "TIMEOUT": "soon", "NAMESPCE": "shop"}.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    exporter = PrometheusRemoteWriteMetricsExporter()
    assert exporter.settings.timeout == 30.0
    assert exporter.export(data()) is SUCCESS
    assert len(messages(caplog)) == 2
    exporter.shutdown()


def test_every_instrument_is_cumulative_unless_somebody_says_otherwise():
    exporter = PrometheusRemoteWriteMetricsExporter(
        "http://localhost/", preferred_temporality={Counter: AggregationTemporality.DELTA}
    )
    assert exporter._preferred_temporality[Counter] is AggregationTemporality.DELTA
    assert exporter._preferred_temporality[Histogram] is AggregationTemporality.CUMULATIVE


@pytest.mark.parametrize("kind", ["explicit_bucket_histogram", "base2_exponential_bucket_histogram"])
def test_a_variable_chooses_the_histograms(receiver, monkeypatch, kind):
    monkeypatch.setenv(f"{PREFIX}ENDPOINT", receiver.url)
    monkeypatch.setenv(f"{PREFIX}DEFAULT_HISTOGRAM_AGGREGATION", kind)
    exporter = PrometheusRemoteWriteMetricsExporter()
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=LONG * 1000)])
    provider.get_meter("tests").create_histogram("latency").record(1.5)
    provider.shutdown()
    native = kind.startswith("base2")
    assert bool(receiver.series("latency")) is native
    assert bool(receiver.series("latency_bucket")) is not native


def test_preferred_aggregation_wins_over_the_setting():
    exporter = PrometheusRemoteWriteMetricsExporter(
        "http://localhost/",
        default_histogram_aggregation="base2_exponential_bucket_histogram",
        preferred_aggregation={Histogram: ExplicitBucketHistogramAggregation((1.0,))},
    )
    assert not isinstance(exporter._preferred_aggregation[Histogram], ExponentialBucketHistogramAggregation)
