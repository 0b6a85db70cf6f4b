"""`otel-prw check` against real servers: what each says, and that the series it sends is there and has ended."""

from __future__ import annotations

import shutil

import pytest

from opentelemetry.exporter.prometheus_remote_write.diagnose.check_series import NAME
from tests.application import run
from tests.diagnose.checking import check
from tests.servers import packages
from tests.servers.fixtures import obtain
from tests.servers.prometheus import Prometheus

WRITE = "/api/v1/write"


class PrometheusWithoutTheFlag(Prometheus):
    """As it is out of the box."""

    def _prepare(self):
        return [argument for argument in super()._prepare() if argument != "--web.enable-remote-write-receiver"]


@pytest.fixture
def job(request):
    """A job of the test's own in the shared servers."""
    return request.node.name


def values(server, job):
    """The values of the series that the check has sent, and whether an instant query still finds it."""
    ranges = server.query(f'count_over_time({NAME}{{job="{job}"}}[1m])')
    return [sample.value for sample in ranges], server.query(f'{NAME}{{job="{job}"}}')


def test_prometheus_3(prometheus_current, job, tmp_path):
    done = check(tmp_path, prometheus_current.write_url, "--send", OTEL_SERVICE_NAME=job)
    assert (done.status, done.failures, done.of("warning")) == (0, set(), set())
    assert done.text("request") == "an empty request is accepted (204); Remote Write 2.0, which it confirms"
    assert done.text("send") == f"a sample of {NAME} is accepted (204); the receiver says that it is written"
    assert done.text("exemplars") == "they are stored"
    assert done.text("native-histograms") == "they are stored"
    counted, now = values(prometheus_current, job)
    assert len(counted) == 1
    assert now == []


def test_prometheus_2_42(prometheus_stable, job, tmp_path):
    done = check(tmp_path, prometheus_stable.write_url, "--send", OTEL_SERVICE_NAME=job)
    assert (done.status, done.failures) == (0, set())
    assert done.text("request") == "an empty request is accepted (204); Remote Write 1.0"
    assert "native histograms are disabled" in done.text("native-histograms")
    counted, now = values(prometheus_stable, job)
    assert len(counted) == 1
    assert now == []


def test_victoria_metrics(victoria_metrics, job, tmp_path):
    done = check(tmp_path, victoria_metrics.write_url, "--send", OTEL_SERVICE_NAME=job)
    assert (done.status, done.failures) == (0, set())
    assert "Remote Write 1.0" in done.text("request")
    counted, _ = values(victoria_metrics, job)
    assert len(counted) == 1


def test_prometheus_without_the_flag(server_stack, tmp_path):
    prometheus = obtain(
        "prometheus 3.x",
        lambda: server_stack.enter_context(PrometheusWithoutTheFlag(packages.prometheus_current())),
    )
    done = check(tmp_path, prometheus.write_url)
    assert (done.status, done.failures) == (1, {"receiver-off"})
    assert "--web.enable-remote-write-receiver" in done.cure("receiver-off")


def test_prometheus_at_the_wrong_path(prometheus_current, tmp_path):
    done = check(tmp_path, f"{prometheus_current.url}/api/v1/push")
    assert (done.status, done.failures) == (1, {"path"})
    done = check(tmp_path, f"{prometheus_current.url}/graph")
    assert done.status == 1
    assert done.failures <= {"path", "redirect", "web-page"}


def test_password_of_nginx(prometheus_current, start_nginx, job, tmp_path):
    nginx = start_nginx(prometheus_current.url, users={"me": "hunter2"})
    done = check(tmp_path, nginx.url + WRITE)
    assert (done.status, done.failures) == (1, {"credentials"})
    assert "401" in done.text("credentials")
    known = {"OTEL_EXPORTER_PRW_USERNAME": "me", "OTEL_EXPORTER_PRW_PASSWORD": "hunter2"}
    done = check(tmp_path, nginx.url + WRITE, "--send", OTEL_SERVICE_NAME=job, **known)
    assert (done.status, done.failures) == (0, set())


def test_certificate_of_nginx(prometheus_current, start_nginx, certificates, tmp_path):
    nginx = start_nginx(prometheus_current.url, certificates=certificates, demand_client_certificate=True)
    done = check(tmp_path, nginx.https_url + WRITE)
    assert (done.status, done.failures) == (1, {"tls-authority"})
    trusting = {"OTEL_EXPORTER_PRW_CERTIFICATE": str(certificates.ca)}
    done = check(tmp_path, nginx.https_url + WRITE, **trusting)
    assert (done.status, done.failures) == (1, {"client-certificate"})
    assert "OTEL_EXPORTER_PRW_CLIENT_CERTIFICATE" in done.cure("client-certificate")
    client = {
        "OTEL_EXPORTER_PRW_CLIENT_CERTIFICATE": str(certificates.client.certificate),
        "OTEL_EXPORTER_PRW_CLIENT_KEY": str(certificates.client.key),
    }
    done = check(tmp_path, nginx.https_url + WRITE, **trusting, **client)
    assert (done.status, done.failures) == (0, set())
    assert "TLSv1." in done.text("tls")


def test_http_to_the_port_of_tls(prometheus_current, start_nginx, certificates, tmp_path):
    nginx = start_nginx(prometheus_current.url, certificates=certificates)
    done = check(tmp_path, nginx.https_url.replace("https:", "http:") + WRITE)
    assert (done.status, done.failures) == (1, {"tls-wanted"})
    assert "https://" in done.cure("tls-wanted")


def test_squid_that_wants_to_know_who_we_are(prometheus_current, start_squid, certificates, start_nginx, tmp_path):
    squid = start_squid(users={"me": "hunter2"})
    nginx = start_nginx(prometheus_current.url, certificates=certificates)
    trusting = {"OTEL_EXPORTER_PRW_CERTIFICATE": str(certificates.ca)}
    done = check(tmp_path, nginx.https_url + WRITE, HTTPS_PROXY=squid.url, **trusting)
    assert (done.status, done.failures) == (1, {"proxy-refused"})
    assert "answered 407 to CONNECT" in done.text("proxy-refused")
    done = check(tmp_path, nginx.url + WRITE, HTTP_PROXY=squid.url)
    assert (done.status, done.failures) == (1, {"proxy-refused"})
    done = check(tmp_path, nginx.https_url + WRITE, HTTPS_PROXY=squid.url_for("me", "hunter2"), **trusting)
    assert (done.status, done.failures) == (0, set())
    assert "hunter2" not in str(done.findings)


def test_in_an_injected_pod(image, plain, injected, receiver, tmp_path):
    """As `kubectl exec` runs it: no script is on the path, and the process itself is instrumented."""
    folder = tmp_path / "otel-auto-instrumentation-python"
    shutil.copytree(image, folder)
    command = ("python", "-m", "opentelemetry_prometheus_remote_write", "check")
    ended = run(*command, cwd=tmp_path, python=plain, **injected(folder=folder))
    assert (ended.status, ended.errors) == (0, [])
    assert "job: berlin/shop" in ended.output
    assert receiver.rejected == []
    assert [each.series for each in receiver.received] == [()]
    ended = run(*command, cwd=tmp_path, python=plain, **injected(folder=folder, OTEL_METRICS_EXPORTER="otlp"))
    assert ended.status == 1
    assert "failure exporter-other" in ended.output
    assert "spec.python.env of the Instrumentation" in ended.output
