"""The transport through nginx, as sites put it in front of a receiver: TLS, client certificates, passwords."""

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Cause, Rejected, Retryable, Unsendable
from tests.end_to_end.posted_sample import USER_AGENT, post_sample
from tests.servers.ports import free_port

PATH = "/api/v1/write"


@pytest.fixture
def job(request):
    """A job of the test's own in the shared Prometheus."""
    return request.node.name


def arrived(prometheus, job):
    """The newest value of the job's series."""
    return prometheus.value(f'last_over_time(up{{job="{job}"}}[5m])')


def test_samples_arrive_by_tls_over_one_connection(prometheus_current, start_nginx, certificates, job):
    nginx = start_nginx(prometheus_current.url, certificates=certificates)
    post_sample(nginx.https_url + PATH, job, requests=3, certificate=certificates.ca)
    assert arrived(prometheus_current, job) == 3
    requests = nginx.requests(at_least=3)
    assert [(request.status, request.method, request.target) for request in requests] == [(204, "POST", PATH)] * 3
    assert len({request.connection for request in requests}) == 1
    assert {request.user_agent for request in requests} == {USER_AGENT}


def test_samples_arrive_in_the_clear_over_one_connection(prometheus_current, start_nginx, job):
    nginx = start_nginx(prometheus_current.url)
    post_sample(nginx.url + PATH, job, requests=3)
    assert arrived(prometheus_current, job) == 3
    assert len({request.connection for request in nginx.requests(at_least=3)}) == 1


def test_a_plain_request_to_its_tls_is_told_from_every_other_refusal(start_nginx, certificates, job):
    nginx = start_nginx(f"http://127.0.0.1:{free_port()}", certificates=certificates)
    with pytest.raises(Unsendable, match="400 Bad Request") as raised:
        post_sample(nginx.https_url.replace("https:", "http:") + PATH, job)
    assert raised.value.cause is Cause.WANTS_TLS


def test_an_unknown_authority_is_refused_unless_verification_is_off(
    prometheus_current, start_nginx, certificates, make_certificates, job
):
    nginx = start_nginx(prometheus_current.url, certificates=certificates)
    with pytest.raises(Unsendable, match="is not trusted"):
        post_sample(nginx.https_url + PATH, job)
    with pytest.raises(Unsendable, match="is not trusted"):
        post_sample(nginx.https_url + PATH, job, certificate=make_certificates().ca)
    assert nginx.requests() == []
    post_sample(nginx.https_url + PATH, job, insecure_skip_verify=True)
    assert [request.status for request in nginx.requests(at_least=1)] == [204]


def test_another_name_is_refused_unless_it_is_the_one_that_we_ask_for(
    prometheus_current, start_nginx, make_certificates, job
):
    certificates = make_certificates("receiver.example")
    nginx = start_nginx(prometheus_current.url, certificates=certificates)
    with pytest.raises(Unsendable, match="mismatch"):
        post_sample(nginx.https_url + PATH, job, certificate=certificates.ca)
    assert nginx.requests() == []
    post_sample(nginx.https_url + PATH, job, certificate=certificates.ca, tls_server_name="receiver.example")
    assert [request.server_name for request in nginx.requests(at_least=1)] == ["receiver.example"]


def test_a_client_certificate_is_demanded_and_shown(prometheus_current, start_nginx, certificates, job):
    nginx = start_nginx(prometheus_current.url, certificates=certificates, demand_client_certificate=True)
    with pytest.raises(Rejected, match=r"answered 400 .*No required SSL certificate was sent"):
        post_sample(nginx.https_url + PATH, job, certificate=certificates.ca)
    post_sample(
        nginx.https_url + PATH,
        job,
        certificate=certificates.ca,
        client_certificate=certificates.client.certificate,
        client_key=certificates.client.key,
    )
    refused, accepted = nginx.requests(at_least=2)
    assert (refused.status, refused.client) == (400, "")
    assert (accepted.status, accepted.client.split(",")[0]) == (204, "CN=client")
    assert arrived(prometheus_current, job) == 1


@pytest.mark.parametrize("password", ["pässword: 1", "open sesame"])
def test_a_password_is_demanded_and_given(prometheus_current, start_nginx, tmp_path, job, password):
    nginx = start_nginx(prometheus_current.url, users={"user": password})
    for wrong in ({}, {"username": "user", "password": "wrong"}, {"bearer_token": password}):
        with pytest.raises(Rejected, match="answered 401 Unauthorized") as caught:
            post_sample(nginx.url + PATH, job, **wrong)
        assert caught.value.status == 401
        assert password not in str(caught.value)
    file = tmp_path / "password"
    file.write_text(password + "\n")
    post_sample(nginx.url + PATH, job, username="user", password=password)
    post_sample(nginx.url + PATH, job, username="user", password_file=file)
    served = nginx.requests(at_least=5)
    while [request.status for request in served[-2:]] != [204, 204]:  # one that nginx refused unread came twice
        served = nginx.requests(at_least=len(served) + 1)
    assert [request.user for request in served[-2:]] == ["user"] * 2


def test_a_receiver_that_is_gone_is_worth_another_try(start_nginx, job):
    nginx = start_nginx(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Retryable, match="answered 502 Bad Gateway") as caught:
        post_sample(nginx.url + PATH, job)
    assert caught.value.status == 502
