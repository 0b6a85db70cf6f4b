"""The transport through squid, the forward proxy behind which many sites keep their applications."""

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Rejected, Retryable
from tests.end_to_end.posted_sample import post_sample

PATH = "/api/v1/write"


@pytest.fixture
def job(request):
    """A job of the test's own in the shared Prometheus."""
    return request.node.name


@pytest.fixture
def nginx(prometheus_current, start_nginx, certificates):
    """The receiver behind the proxy, in the clear and by TLS."""
    return start_nginx(prometheus_current.url, certificates=certificates)


def both_ways(nginx, certificates):
    """The receiver's two addresses, each with what it takes to trust it."""
    return [(nginx.url + PATH, {}), (nginx.https_url + PATH, {"certificate": certificates.ca})]


def test_requests_are_forwarded_or_tunnelled(nginx, start_squid, certificates, job):
    squid = start_squid()
    for endpoint, trust in both_ways(nginx, certificates):
        post_sample(endpoint, job, requests=2, proxies={"http": squid.url, "https": squid.url}, **trust)
    seen = [(request.status, request.method, request.target) for request in squid.requests(at_least=3)]
    forwarded = (204, "POST", nginx.url + PATH)
    assert seen == [forwarded, forwarded, (200, "CONNECT", f"127.0.0.1:{nginx.https_port}")]
    requests = nginx.requests(at_least=4)
    assert [request.status for request in requests] == [204] * 4
    assert len({request.connection for request in requests[2:]}) == 1


def test_the_environment_names_the_proxy_and_its_exceptions(nginx, start_squid, certificates, job):
    squid = start_squid()
    environ = {"HTTP_PROXY": squid.url, "https_proxy": squid.url}
    for endpoint, trust in both_ways(nginx, certificates):
        post_sample(endpoint, job, environ=environ, **trust)
        post_sample(endpoint, job, environ={**environ, "NO_PROXY": "example.com, 127.0.0.0/8"}, **trust)
    assert [request.method for request in squid.requests(at_least=2)] == ["POST", "CONNECT"]
    assert [request.status for request in nginx.requests(at_least=4)] == [204] * 4


def test_the_proxy_demands_credentials_and_gets_them(nginx, start_squid, certificates, job):
    squid = start_squid(users={"user": "p@ss:word"})
    for endpoint, trust in both_ways(nginx, certificates):
        for wrong in (squid.url, squid.url_for("user", "wrong!pass")):
            with pytest.raises(Rejected, match="407") as caught:
                post_sample(endpoint, job, proxies={"http": wrong, "https": wrong}, **trust)
            assert caught.value.status == 407
            assert "wrong!pass" not in str(caught.value)
        assert nginx.requests() == []
    right = squid.url_for("user", "p@ss:word")
    for endpoint, trust in both_ways(nginx, certificates):
        post_sample(endpoint, job, proxies={"http": right, "https": right}, **trust)
    assert [request.status for request in nginx.requests(at_least=2)] == [204, 204]
    seen = [(request.status, request.method, request.user) for request in squid.requests(at_least=6)[-2:]]
    assert seen == [(204, "POST", "user"), (200, "CONNECT", "user")]


def test_without_the_proxy_nothing_goes_to_the_receiver(nginx, start_squid, certificates, job):
    squid = start_squid()
    squid.stop()
    for endpoint, trust in both_ways(nginx, certificates):
        with pytest.raises(Retryable, match=f"the proxy {squid.url} could not be reached"):
            post_sample(endpoint, job, proxies={"http": squid.url, "https": squid.url}, **trust)
    assert nginx.requests() == []


def test_a_receiver_that_the_proxy_cannot_reach_is_worth_another_try(nginx, start_squid, certificates, job):
    squid = start_squid()
    nginx.stop()
    for endpoint, trust in both_ways(nginx, certificates):
        with pytest.raises(Retryable, match="503") as caught:
            post_sample(endpoint, job, proxies={"http": squid.url, "https": squid.url}, **trust)
        assert caught.value.status == 503
