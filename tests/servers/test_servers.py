"""Each real server starts, answers as it should, and leaves nothing behind."""

import base64
import ssl

import pytest
import urllib3

from tests.servers import packages
from tests.servers.fixtures import obtain
from tests.servers.http_client import answers, get
from tests.servers.ports import accepts
from tests.servers.prometheus import Prometheus
from tests.servers.prometheus_api import QueryError

RECEIVER_FLAG = "web.enable-remote-write-receiver"


def test_the_stable_prometheus_receives_remote_write(prometheus_stable):
    assert prometheus_stable.version.startswith(".".join(map(str, prometheus_stable.package.numbers)))
    assert prometheus_stable.flags[RECEIVER_FLAG] == "true"
    assert get(prometheus_stable.write_url).status == 405  # an address for POST only: the receiver is there


def test_the_current_prometheus_receives_remote_write_with_native_histograms_and_exemplars(prometheus_current):
    assert prometheus_current.package.numbers >= (3, 5)
    assert prometheus_current.version.startswith(".".join(map(str, prometheus_current.package.numbers)))
    assert prometheus_current.flags[RECEIVER_FLAG] == "true"
    assert prometheus_current.flags["enable-feature"] == "native-histograms,exemplar-storage"
    assert get(prometheus_current.write_url).status == 405


def test_a_prometheus_answers_queries(prometheus):
    assert prometheus.value("2 * 21") == 42
    assert prometheus.value("vector(time())", at=1000.0) == 1000
    assert prometheus.query("absent_metric") == []
    [series] = prometheus.query_range("time()", start=100, end=102)
    assert series.values == [100, 101, 102]
    assert prometheus.series('{__name__="absent_metric"}') == []
    assert prometheus.query_exemplars("absent_metric", start=100, end=102) == []
    with pytest.raises(QueryError, match="parse error"):
        prometheus.query("1 +")


def test_a_prometheus_can_be_killed_and_comes_back_with_its_port_and_data(start_prometheus):
    prometheus = start_prometheus(flags=["--storage.tsdb.retention.time=1d"])
    first = prometheus.process.pid
    prometheus.kill()
    assert not answers(f"{prometheus.url}/-/ready")
    prometheus.start()
    assert prometheus.process.pid != first
    assert prometheus.flags["storage.tsdb.retention.time"] == "1d"
    assert (prometheus.folder / "data" / "wal").is_dir()


def test_a_prometheus_leaves_neither_a_process_nor_a_file_behind():
    with Prometheus(obtain("prometheus 3.x", packages.prometheus_current)) as prometheus:
        process, folder, port = prometheus.process, prometheus.folder, prometheus.port
        assert process.running
    assert not process.running
    assert not folder.exists()
    assert not accepts(port)


def test_victoria_metrics_answers_queries(victoria_metrics):
    assert victoria_metrics.package.numbers >= (1, 79)
    assert victoria_metrics.value("2 * 21") == 42
    assert victoria_metrics.query("absent_metric") == []
    assert b"snappy" in get(victoria_metrics.write_url).data  # what it misses in an empty request


def test_nginx_terminates_tls_in_front_of_a_receiver(prometheus_current, start_nginx, certificates):
    nginx = start_nginx(prometheus_current.url, certificates=certificates)
    assert _status(f"{nginx.https_url}/-/ready", ca=certificates.ca) == 200
    assert _status(f"{nginx.url}/-/ready") == 200
    over_tls, in_the_clear = nginx.requests(at_least=2)
    assert (over_tls.status, over_tls.method, over_tls.target) == (200, "GET", "/-/ready")
    assert over_tls.connection != in_the_clear.connection


def test_nginx_is_trusted_by_those_who_trust_its_authority_only(prometheus_current, start_nginx, make_certificates):
    nginx = start_nginx(prometheus_current.url, certificates=make_certificates("localhost"))
    with pytest.raises(urllib3.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        _status(f"https://localhost:{nginx.https_port}/-/ready", ca=make_certificates("localhost").ca)


def test_nginx_has_a_certificate_for_the_names_it_was_given_only(prometheus_current, start_nginx, make_certificates):
    certificates = make_certificates("localhost")
    nginx = start_nginx(prometheus_current.url, certificates=certificates)
    assert _status(f"https://localhost:{nginx.https_port}/-/ready", ca=certificates.ca) == 200
    assert nginx.requests(at_least=1)[0].server_name == "localhost"
    with pytest.raises(urllib3.exceptions.SSLError, match="IP address mismatch"):
        _status(f"{nginx.https_url}/-/ready", ca=certificates.ca)


def test_nginx_refuses_those_without_a_client_certificate(prometheus_current, start_nginx, certificates):
    nginx = start_nginx(prometheus_current.url, certificates=certificates, demand_client_certificate=True)
    assert _status(f"{nginx.https_url}/-/ready", ca=certificates.ca) == 400
    assert _status(f"{nginx.https_url}/-/ready", ca=certificates.ca, client=certificates.client) == 200
    assert [request.client.startswith("CN=client") for request in nginx.requests(at_least=2)] == [False, True]


def test_nginx_demands_the_right_password(prometheus_current, start_nginx):
    nginx = start_nginx(prometheus_current.url, users={"user": "pässword: 1"})
    url = f"{nginx.url}/-/ready"
    assert _status(url) == 401
    assert _status(url, Authorization=_basic("user", "wrong")) == 401
    assert _status(url, Authorization=_basic("user", "pässword: 1")) == 200
    assert [request.user for request in nginx.requests(at_least=3)] == ["", "user", "user"]


def test_squid_lets_requests_and_tunnels_through(prometheus_current, start_nginx, start_squid, certificates):
    nginx = start_nginx(prometheus_current.url, certificates=certificates)
    squid = start_squid()
    assert _status(f"{nginx.url}/-/ready", proxy=squid.url) == 200
    assert _status(f"{nginx.https_url}/-/ready", proxy=squid.url, ca=certificates.ca) == 200
    in_the_clear, tunnel = squid.requests(at_least=2)
    assert (in_the_clear.status, in_the_clear.method, in_the_clear.target) == (200, "GET", f"{nginx.url}/-/ready")
    assert (tunnel.status, tunnel.method, tunnel.target) == (200, "CONNECT", f"127.0.0.1:{nginx.https_port}")


def test_squid_with_users_lets_nobody_else_through(prometheus_current, start_squid):
    squid = start_squid(users={"user": "p@ss:word"})
    url = f"{prometheus_current.url}/-/ready"
    assert _status(url, proxy=squid.url) == 407
    assert _status(url, proxy=squid.url, credentials=("user", "wrong")) == 407
    assert _status(url, proxy=squid.url, credentials=("user", "p@ss:word")) == 200
    assert [(request.status, request.user) for request in squid.requests(at_least=3)][-1] == (200, "user")
    assert squid.url_for("user", "p@ss:word") == f"http://user:p%40ss%3Aword@127.0.0.1:{squid.port}"


def _status(url, *, ca=None, client=None, proxy=None, credentials=None, **headers):
    """The status of a GET request made with a pool of its own, so with a connection of its own."""
    options = {"retries": False, "timeout": 10}
    if ca:
        options["ssl_context"] = ssl.create_default_context(cafile=str(ca))
    if client:
        options["ssl_context"].load_cert_chain(client.certificate, client.key)
    proxy_headers = {"Proxy-Authorization": _basic(*credentials)} if credentials else None
    pool = (
        urllib3.ProxyManager(proxy, proxy_headers=proxy_headers, **options) if proxy else urllib3.PoolManager(**options)
    )
    with pool:
        return pool.request("GET", url, headers=headers).status


def _basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
