"""Tokens of Entra ID by azure-identity's own code: workload identity, managed identity, a client's secret."""

from __future__ import annotations

import logging
import os
import ssl
import subprocess
import sys
import time

import pytest
import trustme

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.errors import Cause, Rejected, Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.transport.authentication.azure import Azure
from opentelemetry.exporter.prometheus_remote_write.transport.renewal_failures import RenewalFailures
from tests.transport.authentication.entra import CLIENT, SECRET, TENANT, Entra
from tests.transport.authentication.metadata import azure_imds
from tests.transport.scripted_server import answer, silent, tunnel
from tests.transport.volume import Volume

pytestmark = pytest.mark.processes  # azure-identity asks `uname` for its header User-Agent
SCOPE = "https://monitor.azure.com/.default"
US, CHINA = "https://monitor.azure.us/.default", "https://monitor.azure.cn/.default"


@pytest.fixture
def authority(serve, tmp_path, monkeypatch):
    """authority(entra): the file with who vouches for it; AZURE_AUTHORITY_HOST leads there."""

    def start(entra):
        ca = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(context)
        ca.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", serve(entra.handler(), context))
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
        return str(tmp_path / "ca.pem")

    return start


@pytest.fixture
def connect(start_server, make_transport, monkeypatch):
    """connect(issued): a receiver that takes what was issued, and a transport to it."""

    def start(issued, **settings):
        import os  # noqa: PLC0415 - as the exporter hands it on

        def behave(exchange):
            token = exchange.request.headers.get("authorization", "").removeprefix("Bearer ")
            return answer(200 if token in issued else 401)(exchange)

        server = start_server(behave)
        return server, make_transport(server.url, auth="azure", environ=os.environ, **settings)

    return start


def post(transport, timeout=60):
    return transport.post(b"x", {}, timeout).status


def test_a_clients_secret(authority, connect, monkeypatch):
    entra = Entra()
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)
    _, transport = connect(entra.issued, certificate=authority(entra))
    assert [post(transport) for _ in range(3)] == [200] * 3
    (asked,) = entra.asked
    assert asked["scope"].split()[0] == SCOPE


def test_workload_identity_with_a_federated_token_that_rotates(authority, connect, monkeypatch, tmp_path):
    entra = Entra(["first"])
    volume = Volume(tmp_path / "azure", {"token": b"first"})
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(volume["token"]))
    _, transport = connect(entra.issued, certificate=authority(entra))
    assert post(transport) == 200
    entra.assertions = {"second"}
    volume["token"].unlink()
    volume["token"].write_text("second")
    entra.issued.clear()  # revoked
    assert post(transport) == 200
    assert [asked["client_assertion"] for asked in entra.asked] == ["first", "second"]


def test_managed_identity(serve, connect, monkeypatch):
    issued = []
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", serve(azure_imds(issued)))
    _, transport = connect(issued)
    assert [post(transport) for _ in range(2)] == [200, 200]
    assert issued[-1:] == ["managed-1"]


def test_a_token_that_ends_is_renewed_without_losing_a_request(authority, connect, monkeypatch):
    entra = Entra(life=3)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)
    _, transport = connect(entra.issued, certificate=authority(entra))
    while len(entra.issued) < 3:
        assert post(transport) == 200


def test_a_wrong_secret_is_told_in_entras_words(authority, connect, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong")
    entra = Entra()
    _, transport = connect(entra.issued, certificate=authority(entra))
    with pytest.raises(
        Unsendable, match=r"No token for Azure: .*AADSTS7000215: Invalid client secret.*AZURE_CLIENT_ID"
    ):
        post(transport)


def test_without_credentials_it_is_told(connect, monkeypatch, serve):
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    _, transport = connect([])
    with pytest.raises(Unsendable, match="No token for Azure: DefaultAzureCredential failed to retrieve a token"):
        post(transport, 60)


def test_an_authority_that_hangs_costs_what_is_left_of_the_deadline(connect, monkeypatch, start_server):
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", start_server(silent).url)
    _, transport = connect([])
    began = time.monotonic()
    with pytest.raises(Retryable, match=r"^The token for Azure did not come within (1|0\.\d+) s$"):
        post(transport, 1)
    assert time.monotonic() - began < 9  # what is asked gives up after ten


def test_the_receivers_proxy_is_used(authority, connect, monkeypatch, start_server):
    entra, proxy = Entra(), start_server(tunnel)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)
    _, transport = connect(entra.issued, certificate=authority(entra), proxies={"https": proxy.url})
    assert post(transport) == 200
    assert {request.method for request in proxy.requests} == {"CONNECT"}


@pytest.mark.parametrize(
    ("endpoint", "environ", "settings", "scope"),
    [
        ("https://x.westeurope-1.metrics.ingest.monitor.azure.com/a", {}, {}, SCOPE),
        ("https://x.usgovvirginia-1.metrics.ingest.monitor.azure.us/a", {}, {}, US),
        ("https://x.chinanorth3-1.metrics.ingest.monitor.azure.cn/a", {}, {}, CHINA),
        (
            "https://gateway/a",
            {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"},
            {},
            "https://monitor.azure.us/.default",
        ),
        (
            "https://gateway/a",
            {"AZURE_AUTHORITY_HOST": "https://login.chinacloudapi.cn/"},
            {},
            "https://monitor.azure.cn/.default",
        ),
        ("https://gateway/a", {}, {"azure_scope": "api://gateway/.default"}, "api://gateway/.default"),
    ],
)
def test_the_scope_is_that_of_the_cloud(endpoint, environ, settings, scope):
    assert Azure(Settings(endpoint=endpoint, **settings), environ, RenewalFailures()).scope == scope


def test_no_secret_is_in_any_log_or_error(authority, connect, monkeypatch, caplog):
    entra = Entra()
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)

    def repeat(exchange):
        return answer(403, {}, exchange.request.headers["authorization"].encode())(exchange)

    with caplog.at_level(logging.DEBUG):
        server, transport = connect(entra.issued, certificate=authority(entra))
        post(transport)
        server.behaviour = repeat
        with pytest.raises(Rejected) as raised:
            post(transport)
    assert raised.value.cause is Cause.CREDENTIALS
    told = f"{caplog.text} {raised.value} {vars(raised.value)}"
    assert SECRET not in told
    assert "abcdefghij" not in told
    assert "AADSTS" not in caplog.text


EXPORTS = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource
resource = Resource({"service.name": "shop", "service.instance.id": "1", "version": "2"})
exporter = PrometheusRemoteWriteMetricsExporter(endpoint=sys.argv[1], auth="azure")
print(exporter.export(MetricsData([ResourceMetrics(resource, [], "")])).name)
"""


def test_what_azures_libraries_log_is_dropped_from_the_first_token_on(serve, connect):
    # In a process of its own, where none of them has been imported before.
    issued = []
    server, _ = connect(issued)
    environ = {**os.environ, "AZURE_POD_IDENTITY_AUTHORITY_HOST": serve(azure_imds(issued))}
    command = [sys.executable, "-c", EXPORTS, server.url]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "SUCCESS\n"
    loggers = {line.split(":")[1].partition(".")[0] for line in ended.stderr.splitlines() if line.count(":") > 1}
    assert loggers == {"opentelemetry"}
