"""Signed requests, verified independently, with credentials from every part of the chain."""

from __future__ import annotations

import json
import logging
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest
from moto.server import ThreadedMotoServer

from opentelemetry.exporter.prometheus_remote_write.errors import Cause, Rejected, Retryable, Unsendable
from tests.transport.authentication.metadata import POD_TOKEN, Issued, imds_v2, pod_identity
from tests.transport.authentication.signature import Refused, verify
from tests.transport.scripted_server import answer, silent

PATH = "/workspaces/ws-12345678-abcd/api/v1/remote_write"
REGION = "eu-west-1"
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session-token-0123456789"
ROLE = "arn:aws:iam::123456789012:role/writer"
HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}


class Amp:
    """What verifies as Amazon does: by its behaviour a server is one."""

    def __init__(self, keys, region=REGION, service="aps", now=None):
        self.keys, self.region, self.service, self.now = keys, region, service, now
        self.accepted = []
        self.signed = set()

    def __call__(self, exchange):
        try:
            now = self.now and self.now()
            key, names = verify(exchange.request, self.keys, region=self.region, service=self.service, now=now)
        except Refused as refused:
            date = (self.now or (lambda: datetime.now(timezone.utc)))().strftime("%a, %d %b %Y %H:%M:%S GMT")
            said = json.dumps({"message": str(refused)}).encode()
            return answer(403, {"x-amzn-ErrorType": "AccessDeniedException", "Date": date}, said)(exchange)
        self.accepted.append(key)
        self.signed |= names
        return answer(200)(exchange)


@pytest.fixture
def static(monkeypatch):
    """Credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return {KEY: (SECRET, None)}


@pytest.fixture
def amazon(start_server, make_transport):
    """amazon(keys): what verifies, and a transport to it."""

    def start(keys, path=PATH, **settings):
        amp = Amp(keys, settings.pop("verified_for", REGION), settings.get("sigv4_service", "aps"))
        server = start_server(amp)
        given = {"auth": "sigv4", "sigv4_region": REGION, **settings}
        environ = given.pop("environ", {})
        return amp, make_transport(server.url + path, environ=environ, **given)

    return start


def test_a_signature_is_right(amazon, static):
    amp, transport = amazon(static)
    for body in (b"", b"x", b"\x00" * 100_000):
        assert transport.post(body, HEADERS, 60).status == 200
    assert amp.accepted == [KEY] * 3


def test_a_session_goes_with_it(amazon, static, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    amp, transport = amazon({KEY: (SECRET, TOKEN)})
    transport.post(b"x", HEADERS, 60)
    assert "x-amz-security-token" in amp.signed


def test_what_proxies_change_is_not_signed(amazon, static):
    amp, transport = amazon(static, headers={"X-Scope-OrgID": "5"})
    transport.post(b"x", {**HEADERS, "Retry-Attempt": "1"}, 60)
    assert amp.signed == {"content-type", "host", "x-amz-date"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a b/c",
        "/%C3%A4?x=1&a=%20b",
        "/write?b=2&a=1&c",
        "/a%2Fb/%25/~x:@;,=",
        "/write?scope=a:b/c@d&e=%2f%C3%BC&z=a%2Bb&a=x=y",
    ],
)
def test_whatever_the_path_the_signature_is_right(amazon, static, path):
    amp, transport = amazon(static, path.replace(" ", "%20"))
    transport.post(b"x", HEADERS, 60)
    assert amp.accepted == [KEY]


def test_another_service_is_signed_for(amazon, static):
    amp, transport = amazon(static, sigv4_service="execute-api")
    transport.post(b"x", HEADERS, 60)
    assert amp.accepted == [KEY]


def test_the_verifier_refuses_what_is_not_right(amazon):
    _, transport = amazon({KEY: ("another secret", None)}, sigv4_region=REGION)
    with pytest.raises(Unsendable):
        transport.post(b"x", HEADERS, 60)


def test_a_wrong_secret_is_told_by_amazons_words(amazon, static):
    _, transport = amazon({KEY: ("another secret", None)})
    with pytest.raises(Rejected, match="signature we calculated does not match") as raised:
        transport.post(b"x", HEADERS, 60)
    assert raised.value.cause is Cause.AWS_CREDENTIALS


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://aps-workspaces.ap-southeast-2.amazonaws.com" + PATH, "ap-southeast-2"),
        ("https://aps-workspaces-fips.us-east-1.amazonaws.com" + PATH, "us-east-1"),
        ("https://aps-workspaces.us-gov-west-1.api.aws" + PATH, "us-gov-west-1"),
        ("https://aps-workspaces.cn-north-1.amazonaws.com.cn" + PATH, "cn-north-1"),
        ("https://vpce-1.aps-workspaces.eu-central-1.vpce.amazonaws.com" + PATH, "eu-central-1"),
    ],
)
def test_the_region_stands_in_the_host(make_transport, static, endpoint, region, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "elsewhere")
    assert f"/{region}/aps/aws4_request" in signed(make_transport(endpoint, auth="sigv4"), endpoint)


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, "a"),
        ({"AWS_DEFAULT_REGION": "b"}, "b"),
    ],
)
def test_else_it_stands_in_the_environment(make_transport, static, variables, region):
    transport = make_transport("https://gateway/write", auth="sigv4", environ=variables)
    assert f"/{region}/aps/aws4_request" in signed(transport, "https://gateway/write")


def test_else_in_the_profile(make_transport, static, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[profile metrics]\nregion = c\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "credentials").write_text(f"[metrics]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    transport = make_transport("https://gateway/write", auth="sigv4", sigv4_profile="metrics")
    assert "/c/aps/aws4_request" in signed(transport, "https://gateway/write")


def test_without_a_region_it_is_said_what_to_set(make_transport, static):
    with pytest.raises(Unsendable, match="set OTEL_EXPORTER_PRW_SIGV4_REGION"):
        make_transport("https://gateway/write", auth="sigv4").post(b"", {}, 60)


def signed(transport, url):
    from opentelemetry.exporter.prometheus_remote_write.transport.authentication.outgoing import Outgoing  # noqa: PLC0415

    return transport._authentication.headers(Outgoing("POST", url, {}, b""))["Authorization"]


# --- the chain ---


def test_credentials_of_a_profile(amazon, monkeypatch, tmp_path):
    file = tmp_path / "credentials"
    file.write_text(f"[default]\naws_access_key_id=no\naws_secret_access_key=no\n[metrics]\naws_access_key_id={KEY}\n")
    file.write_text(file.read_text() + f"aws_secret_access_key={SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    amp, transport = amazon({KEY: (SECRET, None)}, sigv4_profile="metrics")
    transport.post(b"x", HEADERS, 60)
    assert amp.accepted == [KEY]


def test_a_profile_that_is_not_there_is_named(amazon):
    _, transport = amazon({}, sigv4_profile="nobody")
    with pytest.raises(Unsendable, match=r"profile \(nobody\) could not be found"):
        transport.post(b"x", HEADERS, 60)


def test_credentials_of_the_machine(amazon, serve, monkeypatch):
    issued = Issued()
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", serve(imds_v2(issued)))
    amp, transport = amazon(issued.keys)
    for _ in range(3):
        transport.post(b"x", HEADERS, 60)
    assert (amp.accepted, issued.count) == (["AKIDTEMPORARY1"] * 3, 1)


@pytest.fixture
def pod(serve, monkeypatch, tmp_path):
    """pod(life): what the agent of EKS pod identity issues, by which credentials are looked for."""

    def start(life):
        issued = Issued(life)
        (tmp_path / "token").write_text(POD_TOKEN)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", serve(pod_identity(issued)) + "/v1/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        return issued

    return start


def test_credentials_of_a_pod_of_eks(amazon, pod):
    issued = pod(timedelta(hours=1))
    amp, transport = amazon(issued.keys)
    transport.post(b"x", HEADERS, 60)
    assert amp.accepted == ["AKIDTEMPORARY1"]


@pytest.fixture(scope="module")
def sts():
    """Amazon's STS, by moto."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Anybody(dict):
    """Keys that only the service has issued: what of a signature can be verified without the secret is."""

    def __contains__(self, key):
        return key.startswith("ASIA")


def test_a_role_is_assumed_with_what_the_chain_has(static, sts, monkeypatch, make_transport, start_server):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
    server = start_server(answer(200))
    transport = make_transport(
        server.url + PATH, auth="sigv4", sigv4_region=REGION, sigv4_role_arn=ROLE, sigv4_external_id="id-5"
    )
    for _ in range(2):
        transport.post(b"x", HEADERS, 60)
    first, second = server.requests
    assert first.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIA")
    assert first.headers["x-amz-security-token"] == second.headers["x-amz-security-token"]


def test_credentials_of_a_web_identity(sts, monkeypatch, make_transport, start_server, tmp_path):
    (tmp_path / "token").write_text("a.b.c")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    server = start_server(answer(200))
    transport = make_transport(server.url + PATH, auth="sigv4", sigv4_region=REGION)
    transport.post(b"x", HEADERS, 60)
    assert server.requests[0].headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIA")


# --- renewal ---


def test_credentials_that_end_are_renewed_without_losing_a_request(amazon, pod):
    issued = pod(timedelta(hours=1))
    amp, transport = amazon(issued.keys)
    for hours in range(3):
        set_clock(transport._authentication._signer, issued, timedelta(hours=hours))
        for _ in range(2):
            assert transport.post(b"x", HEADERS, 60).status == 200
    assert amp.accepted == [f"AKIDTEMPORARY{number}" for number in (1, 1, 2, 2, 3, 3)]


def set_clock(signer, issued, ahead):
    """Put forward the clock by which credentials are issued and renewed; requests are signed by the real one."""
    issued.now = lambda: datetime.now(timezone.utc) + ahead
    signer._clock = lambda: issued.now().timestamp()


def test_credentials_that_are_refused_are_fetched_anew(amazon, serve, monkeypatch):
    issued = Issued()
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", serve(imds_v2(issued)))
    amp, transport = amazon(issued.keys)
    transport.post(b"x", HEADERS, 60)
    del issued.keys["AKIDTEMPORARY1"]  # revoked
    transport.post(b"x", HEADERS, 60)
    assert amp.accepted == ["AKIDTEMPORARY1", "AKIDTEMPORARY2"]


def test_each_attempt_is_signed_anew(static, start_server, make_transport):
    server = start_server(answer(503))
    transport = make_transport(server.url + PATH, auth="sigv4", sigv4_region=REGION)
    with pytest.raises(Retryable):
        transport.post(b"x", HEADERS, 60)
    time.sleep(1)  # a signature tells whole seconds
    with pytest.raises(Retryable):
        transport.post(b"x", HEADERS, 60)
    first, second = server.requests
    assert first.headers["x-amz-date"] != second.headers["x-amz-date"]


# --- what is wrong ---


def test_without_credentials_it_is_said_where_they_were_looked_for(amazon):
    _, transport = amazon({})
    with pytest.raises(Unsendable, match="Unable to locate credentials for AWS: they were looked for in environment"):
        transport.post(b"x", HEADERS, 60)


def test_a_source_that_hangs_costs_what_is_left_of_the_deadline(amazon, start_server, monkeypatch):
    hanging = start_server(silent)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{hanging.url}/v1/credentials")
    _, transport = amazon({})
    began = time.monotonic()
    with pytest.raises(Retryable, match=r"^the credentials for Amazon did not come within (1|0\.\d+) s$"):
        transport.post(b"x", HEADERS, 1)
    assert time.monotonic() - began < 9  # what is asked gives up after ten
    assert len([thread for thread in threading.enumerate() if "hang" in thread.name]) == 0


def test_a_clock_that_is_wrong_is_told_first(start_server, make_transport, static):
    amp = Amp(static, now=lambda: datetime.now(timezone.utc) + timedelta(hours=1))
    transport = make_transport(start_server(amp).url + PATH, auth="sigv4", sigv4_region=REGION)
    with pytest.raises(Rejected, match=r"this host's clock is 3[56]\d\d s behind the receiver's") as raised:
        transport.post(b"x", HEADERS, 60)
    assert raised.value.cause is Cause.CLOCK


def test_a_role_that_may_not_be_assumed_is_told(static, monkeypatch, start_server, amazon):
    denied = (
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: sts:AssumeRole"
        b"</Message></Error></ErrorResponse>"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", start_server(answer(403, {"Content-Type": "text/xml"}, denied)).url)
    _, transport = amazon(static, sigv4_role_arn=ROLE)
    with pytest.raises(Unsendable, match=r"not authorized to perform: sts:AssumeRole.*SIGV4_ROLE_ARN"):
        transport.post(b"x", HEADERS, 60)


def test_no_secret_is_in_any_log_or_error(*, amazon, static, monkeypatch, caplog, start_server, make_transport):
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    with caplog.at_level(logging.DEBUG):
        _, transport = amazon({KEY: (SECRET, TOKEN)})
        transport.post(b"x", HEADERS, 60)

        def repeat(exchange):
            return answer(403, {}, " ".join(exchange.request.headers.values()).encode())(exchange)

        transport = make_transport(start_server(repeat).url, auth="sigv4", sigv4_region=REGION)
        with pytest.raises(Rejected) as raised:
            transport.post(b"x", HEADERS, 60)
    told = caplog.text + str(raised.value) + repr(vars(raised.value))
    for secret in (SECRET, TOKEN, "Signature=", KEY):
        assert secret not in told


@pytest.mark.parametrize("source", ["a role", "a web identity", "a pod of EKS", "a machine"])
def test_no_temporary_secret_is_in_any_log(
    *, source, static, sts, pod, serve, start_server, make_transport, monkeypatch, caplog, tmp_path
):
    settings, issued = {}, Issued()
    if source == "a role":
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
        settings = {"sigv4_role_arn": ROLE}
    else:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    if source == "a web identity":
        (tmp_path / "web").write_text("a-very-secret-token")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "web"))
        monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    elif source == "a pod of EKS":
        issued = pod(timedelta(hours=1))
    elif source == "a machine":
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", serve(imds_v2(issued)))
    server = start_server(answer(200))
    with caplog.at_level(logging.DEBUG):
        transport = make_transport(server.url + PATH, auth="sigv4", sigv4_region=REGION, **settings)
        transport.post(b"x", HEADERS, 60)
    ours = [
        record for record in caplog.records if record.name.partition(".")[0] in {"botocore", "opentelemetry", "urllib3"}
    ]
    told = " ".join(f"{record.getMessage()} {record.exc_text}" for record in ours)
    sent = server.requests[0].headers
    token = sent["x-amz-security-token"]
    key = sent["authorization"].partition("Credential=")[2].partition("/")[0]
    signature = sent["authorization"].partition("Signature=")[2]
    secrets = [
        token,
        key,
        signature,
        SECRET,
        "a-very-secret-token",
        POD_TOKEN,
        *(secret for secret, _ in issued.keys.values()),
    ]
    assert [secret for secret in secrets if secret in told] == []
