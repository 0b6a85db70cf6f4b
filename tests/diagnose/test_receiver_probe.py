"""What receivers answer, and what of it a check tells: scripted answers over real sockets, and the strict receiver."""

from __future__ import annotations

import math

import pytest

from opentelemetry.exporter.prometheus_remote_write.model.stale_marker import is_stale
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.diagnose.checking import check
from tests.transport.scripted_server import ScriptedServer, answer, in_turn

PROMETHEUS_SAYS = b"remote write receiver needs to be enabled with --web.enable-remote-write-receiver"


@pytest.fixture
def start_server(server_stack):
    return lambda *arguments, **keywords: server_stack.enter_context(ScriptedServer(*arguments, **keywords))


@pytest.mark.parametrize(
    ("behaviour", "topic", "text", "cure"),
    [
        pytest.param(
            answer(401, body=b"no token"), "credentials", "401 Unauthorized: no token", "BEARER_TOKEN", id="401"
        ),
        pytest.param(
            answer(403, body=b"unknown tenant"), "credentials", "unknown tenant", "(a tenant?)", id="403 tenant"
        ),
        pytest.param(answer(404), "path", "answered 404 Not Found", "must be the write path", id="404"),
        pytest.param(
            answer(404, body=PROMETHEUS_SAYS),
            "receiver-off",
            "needs to be enabled",
            "--web.enable-remote",
            id="switched off",
        ),
        pytest.param(answer(405), "path", "405 Method Not Allowed", "must be the write path", id="405"),
        pytest.param(
            answer(302, {"Location": "https://login.example/?next=secret"}),
            "redirect",
            "redirected to https://login.example/;",
            "set OTEL_EXPORTER_PRW_ENDPOINT",
            id="redirect",
        ),
        pytest.param(answer(415), "protocol", "answered 415", "PROTOCOL", id="415 to both versions"),
        pytest.param(answer(429), "limits", "answered 429", "have the limit raised", id="429"),
        pytest.param(answer(500, body=b"disk full"), "receiver-error", "disk full", "the receiver's log", id="500"),
        pytest.param(answer(503), "receiver-error", "answered 503", "the receiver's log", id="503"),
        pytest.param(answer(418), "refused", "answered 418", "own words", id="another refusal"),
        pytest.param(
            answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>"),
            "web-page",
            "a web page answered",
            "must be the write path",
            id="a web page",
        ),
    ],
)
def test_answer_is_told_with_its_cause_and_its_cure(start_server, tmp_path, *, behaviour, topic, text, cure):
    server = start_server(behaviour)
    done = check(tmp_path, f"{server.url}/write", "--send")
    assert (done.status, done.failures) == (1, {topic})
    assert text in done.text(topic)
    assert cure in done.cure(topic)
    assert "secret" not in done.text(topic)
    assert len(server.requests) <= 2  # nothing is sent after a refusal


def test_receiver_of_2_0_confirms_it(tmp_path):
    with Receiver() as receiver:
        done = check(tmp_path, receiver.url)
        assert done.status == 0
        assert done.text("request") == "an empty request is accepted (204); Remote Write 2.0, which it confirms"
        assert [(each.protocol, each.series) for each in receiver.received] == [("2.0", ())]


def test_receiver_of_1_0_refuses_2_0_and_is_asked_by_1_0(start_server, tmp_path):
    server = start_server(in_turn(answer(415), answer(204)))
    done = check(tmp_path, f"{server.url}/write")
    assert done.status == 0
    assert done.text("request") == "an empty request is accepted (204); Remote Write 1.0"
    asked = [request.headers["content-type"] for request in server.requests]
    assert asked == ["application/x-protobuf;proto=io.prometheus.write.v2.Request", "application/x-protobuf"]


def test_receiver_that_does_not_speak_the_version_that_is_set(start_server, tmp_path):
    done = check(tmp_path, f"{start_server(answer(204)).url}/write", OTEL_EXPORTER_PRW_PROTOCOL="2.0")
    assert (done.status, done.failures) == (1, {"protocol"})
    assert "set OTEL_EXPORTER_PRW_PROTOCOL to auto" in done.cure("protocol")


def test_receiver_that_refuses_what_is_empty_is_a_warning(start_server, tmp_path):
    server = start_server(answer(400, body=b"empty remote write request"))
    done = check(tmp_path, f"{server.url}/write")
    assert (done.status, done.of("warning")) == (0, {"empty-refused"})
    assert "--send" in done.cure("empty-refused")


def test_empty_refused_and_a_series_accepted(start_server, tmp_path):
    server = start_server(in_turn(answer(400), answer(400), answer(204)))
    done = check(tmp_path, f"{server.url}/write", "--send")
    assert (done.status, done.failures) == (0, set())
    assert "is accepted (204)" in done.text("send")


@pytest.mark.parametrize("protocol", ["auto", "1.0"])
def test_series_that_is_sent_is_one_and_is_ended(protocol, tmp_path):
    with Receiver() as receiver:
        done = check(
            tmp_path,
            receiver.url,
            "--send",
            OTEL_EXPORTER_PRW_PROTOCOL=protocol,
            OTEL_EXPORTER_PRW_EXTERNAL_LABELS="cluster=x",
            OTEL_RESOURCE_ATTRIBUTES="service.instance.id=pod-1,service.namespace=berlin",
        )
        assert (done.status, done.failures, done.of("warning")) == (0, set(), set())
        assert receiver.rejected == []
        labels = {"job": "berlin/shop", "instance": "pod-1", "cluster": "x"}
        (series,) = receiver.series("otel_prw_check", **labels)
        assert len(series.labels) == 4
        first, end = series.samples
        assert first.value == 1.0
        assert math.isnan(end.value)
        assert is_stale(end.value)
        assert [len(series.histograms), len(series.exemplars)] == [1, 1]
        assert {each.name for received in receiver.received for each in received.series} == {"otel_prw_check"}
    if protocol == "auto":
        assert done.text("exemplars") == done.text("native-histograms") == "they are stored"
    else:
        assert "does not say whether" in done.text("exemplars")


def test_receiver_that_writes_nothing_is_a_failure(tmp_path):
    none = {f"X-Prometheus-Remote-Write-{what}-Written": "0" for what in ("Samples", "Histograms", "Exemplars")}
    with Receiver(answers=lambda _: ScriptedAnswer(204, none)) as receiver:
        done = check(tmp_path, receiver.url, "--send")
    assert (done.status, done.failures) == (1, {"not-written"})


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, "ok"),
        ({"OTEL_EXPORTER_PRW_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram"}, "failure"),
    ],
    ids=["not wanted", "wanted"],
)
def test_native_histograms_that_are_not_taken(start_server, variables, level, tmp_path):
    refusing = answer(500, body=b"native histograms are disabled")
    server = start_server(in_turn(answer(415), answer(204), answer(204), refusing, answer(204)))
    done = check(tmp_path, f"{server.url}/write", "--send", **variables)
    assert done.findings["native-histograms"]["level"] == level
    assert "native histograms are disabled" in done.text("native-histograms")
    assert done.status == (level == "failure")


def test_exemplar_that_is_refused_does_not_keep_the_sample_back(start_server, tmp_path):
    server = start_server(in_turn(answer(415), answer(204), answer(400, body=b"no exemplars"), answer(204)))
    done = check(tmp_path, f"{server.url}/write", "--send")
    assert (done.status, done.failures) == (0, set())
    assert "they are not stored" in done.text("exemplars")
    assert "no exemplars" in done.text("exemplars")


def test_stale_marker_that_is_refused_is_a_warning(start_server, tmp_path):
    server = start_server(in_turn(answer(415), answer(204), answer(204), answer(204), answer(400)))
    done = check(tmp_path, f"{server.url}/write", "--send")
    assert (done.status, done.of("warning")) == (0, {"stale-marker"})


def test_proxy_that_forwards_and_refuses_is_named(start_server, tmp_path):
    proxy = start_server(answer(403))
    done = check(tmp_path, "http://receiver.example/write", HTTP_PROXY=f"http://127.0.0.1:{proxy.port}")
    assert "the proxy" in done.text("proxy-refused")
    assert "does not allow this host" in done.cure("proxy-refused")
