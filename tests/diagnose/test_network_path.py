"""The way to the receiver: each step that can fail fails once, with real sockets and real TLS."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest
import trustme

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.diagnose.checking import check
from tests.servers.ports import free_port
from tests.transport.scripted_server import ScriptedServer, answer, raw, silent, tunnel

NOW = datetime.now(timezone.utc)


@pytest.fixture
def start_server(server_stack):
    return lambda *arguments, **keywords: server_stack.enter_context(ScriptedServer(*arguments, **keywords))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    authority.path = str(path)
    return authority


def shows(authority, *names, **dates):
    """The server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1", "localhost")), **dates).configure_cert(context)
    return context


def test_receiver_that_is_there_is_reached_step_by_step(tmp_path):
    with Receiver() as receiver:
        done = check(tmp_path, receiver.url.replace("127.0.0.1", "localhost"))
    assert (done.status, done.failures, done.of("warning")) == (0, set(), set())
    assert done.text("proxy") == "none: neither OTEL_EXPORTER_PRW_PROXY nor HTTP_PROXY is set"
    assert "127.0.0.1" in done.text("name")
    assert done.text("tcp") == f"connected to 127.0.0.1 port {receiver.port}"
    assert all(done.findings[topic]["seconds"] < 10 for topic in ("name", "tcp", "request"))


def test_variable_of_a_proxy_that_is_set_to_nothing(tmp_path):
    endpoint = f"http://127.0.0.1:{free_port()}/write"
    done = check(tmp_path, endpoint, http_proxy="", HTTP_PROXY="http://proxy.example:3128")
    assert done.text("proxy") == "none: http_proxy is empty, which overrides HTTP_PROXY"


def test_server_without_tls_that_waits_for_a_whole_request(tmp_path, start_server):
    url = start_server(silent).url.replace("http:", "https:")
    done = check(tmp_path, f"{url}/write", OTEL_EXPORTER_PRW_TIMEOUT="1500")
    assert done.failures == {"tls"}
    assert "write http:// in OTEL_EXPORTER_PRW_ENDPOINT" in done.cure("tls")


def test_folder_for_what_waits_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "everybodys").mkdir()
    (tmp_path / "everybodys").chmod(0o777)
    (tmp_path / "good").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "good")
    found = {}
    for folder in ("file", "file/below", "everybodys", "link", "good", "new/below"):
        path = str(tmp_path / folder)
        done = check(tmp_path, "http://127.0.0.1:1/write", OTEL_EXPORTER_PRW_BUFFER_DIRECTORY=path)
        found[folder] = done.text("buffer-directory").rpartition(": ")[2] if done.of("warning") else ""
    lost = "; what waits is lost when the process ends"
    assert found == {
        "file": f"it is not a folder{lost}",
        "file/below": f"{tmp_path}/file is not a folder{lost}",
        "everybodys": f"other users may change it{lost}",
        "link": f"it is a link{lost}",
        "good": "",
        "new/below": "",
    }
    assert not (tmp_path / "new").exists()


def test_closed_port(tmp_path):
    done = check(tmp_path, f"http://127.0.0.1:{free_port()}/write")
    assert (done.status, done.failures) == (1, {"tcp"})
    assert "Connection refused" in done.text("tcp")
    assert "whether the receiver runs" in done.cure("tcp")


def test_name_that_does_not_exist(tmp_path):
    done = check(tmp_path, "http://no-such-host.invalid/write")
    assert (done.status, done.failures) == (1, {"name"})
    assert "the host name cannot be resolved" in done.text("name")
    assert "the host name in OTEL_EXPORTER_PRW_ENDPOINT, and at the resolver" in done.cure("name")


def test_dead_host_takes_no_longer_than_the_timeout(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as full:
        # Connections beyond the backlog are neither accepted nor refused: a host that does not answer.
        waiting = []
        for _ in range(2):
            waiting.append(socket.socket())
            waiting[-1].settimeout(0)
            waiting[-1].connect_ex(full.getsockname())
        done = check(tmp_path, f"http://127.0.0.1:{full.getsockname()[1]}/", OTEL_EXPORTER_PRW_TIMEOUT="4000")
        for each in waiting:
            each.close()
    assert (done.status, done.failures) == (1, {"tcp"})
    assert "did not answer within 4 s" in done.text("tcp")
    assert done.findings["tcp"]["seconds"] < 2 * 4  # else the system tries for two minutes


def test_receiver_that_is_silent_takes_no_longer_than_the_timeout(start_server, tmp_path):
    done = check(tmp_path, f"{start_server(silent).url}/write", OTEL_EXPORTER_PRW_TIMEOUT="4000")
    assert (done.status, done.failures) == (1, {"no-answer"})
    assert "did not answer within" in done.text("no-answer")
    assert sum(finding.get("seconds", 0) for finding in done.findings.values()) < 2 * 4


def test_trusted_certificate_is_described(start_server, authority, tmp_path):
    server = start_server(answer(), tls=shows(authority, "127.0.0.1", not_after=NOW + timedelta(days=40.5)))
    done = check(tmp_path, f"{server.url}/write", OTEL_EXPORTER_PRW_CERTIFICATE=authority.path)
    assert (done.status, done.failures, done.of("warning")) == (0, set(), set())
    text = done.text("tls")
    assert text.startswith("TLSv1.3; ")
    assert re.search("for 127.0.0.1, issued by .*Testing CA", text)
    assert "(40 days left)" in text
    assert text.endswith(f"trusted by those in {authority.path}")


def test_certificate_that_ends_soon_is_a_warning(start_server, authority, tmp_path):
    server = start_server(answer(), tls=shows(authority, not_after=NOW + timedelta(days=3)))
    done = check(tmp_path, f"{server.url}/write", OTEL_EXPORTER_PRW_CERTIFICATE=authority.path)
    assert (done.status, done.failures, done.of("warning")) == (0, set(), {"tls-ends-soon"})


def test_expired_certificate(start_server, authority, tmp_path):
    tls = shows(authority, not_before=NOW - timedelta(days=90), not_after=NOW - timedelta(days=3, hours=1))
    server = start_server(tls=tls)
    done = check(tmp_path, f"{server.url}/write", OTEL_EXPORTER_PRW_CERTIFICATE=authority.path)
    assert (done.status, done.failures) == (1, {"tls-expired"})
    assert "not valid now: expired 3 days ago" in done.text("tls-expired")
    assert "have it renewed" in done.cure("tls-expired")
    assert server.requests == []


def test_certificate_for_another_name(start_server, authority, tmp_path):
    server = start_server(tls=shows(authority, "receiver.example", "mimir.example"))
    done = check(tmp_path, f"{server.url}/write", OTEL_EXPORTER_PRW_CERTIFICATE=authority.path)
    assert (done.status, done.failures) == (1, {"tls-name"})
    assert done.text("tls-name").endswith("is for receiver.example, mimir.example, not for 127.0.0.1")
    assert "OTEL_EXPORTER_PRW_TLS_SERVER_NAME" in done.cure("tls-name")


def test_unknown_authority(start_server, authority, tmp_path):
    server = start_server(tls=shows(authority))
    done = check(tmp_path, f"{server.url}/write")
    assert (done.status, done.failures) == (1, {"tls-authority"})
    assert re.search("issued by .*Testing CA", done.text("tls-authority"))
    assert "the system's authorities" in done.text("tls-authority")
    assert "OTEL_EXPORTER_PRW_CERTIFICATE" in done.cure("tls-authority")


def test_certificate_that_nobody_verifies_is_a_warning_that_describes_it(start_server, authority, tmp_path):
    server = start_server(answer(), tls=shows(authority, "receiver.example"))
    done = check(tmp_path, f"{server.url}/write", OTEL_EXPORTER_PRW_INSECURE_SKIP_VERIFY="true")
    assert (done.status, done.failures, done.of("warning")) == (0, set(), {"tls-unverified"})
    assert "receiver.example" in done.text("tls-unverified")


def test_receiver_that_wants_a_certificate_of_ours(start_server, authority, tmp_path):
    tls = shows(authority)
    authority.configure_trust(tls)
    tls.verify_mode = ssl.CERT_REQUIRED
    done = check(tmp_path, f"{start_server(tls=tls).url}/write", OTEL_EXPORTER_PRW_CERTIFICATE=authority.path)
    assert done.status == 1
    (topic,) = done.failures
    assert "refused the TLS handshake" in done.text(topic)
    assert "OTEL_EXPORTER_PRW_CLIENT_CERTIFICATE" in done.text(topic) + done.cure(topic)


def test_receiver_that_does_not_speak_tls(tmp_path):
    with Receiver() as receiver:
        done = check(tmp_path, receiver.url.replace("http:", "https:"))
    assert (done.status, done.failures) == (1, {"tls"})
    assert "does not speak TLS" in done.text("tls")
    assert "http://" in done.cure("tls")


def test_authorities_that_cannot_be_read(tmp_path):
    with Receiver() as receiver:
        done = check(tmp_path, receiver.url.replace("http:", "https:"), OTEL_EXPORTER_PRW_CERTIFICATE="/none.pem")
    assert (done.status, done.failures) == (1, {"tls-file"})
    assert "/none.pem" in done.text("tls-file")


def test_proxy_is_named_with_the_variable_that_says_so(start_server, tmp_path):
    with Receiver() as receiver:
        proxy = start_server(answer(204))
        named = f"http://me:hunter2@127.0.0.1:{proxy.port}"
        done = check(tmp_path, receiver.url, HTTP_PROXY=named)
        assert done.text("proxy").endswith("with a user and a password: HTTP_PROXY names it")
        assert done.text("tcp") == f"connected to 127.0.0.1 port {proxy.port}"
        excepted = check(tmp_path, receiver.url, HTTP_PROXY=named, NO_PROXY="127.0.0.0/8")
        assert excepted.text("proxy") == "none: HTTP_PROXY is set, but NO_PROXY excludes 127.0.0.1"
        assert (excepted.status, excepted.failures) == (0, set())
        ours = check(tmp_path, receiver.url, HTTP_PROXY="http://127.0.0.1:1", OTEL_EXPORTER_PRW_PROXY=named)
        assert ours.text("proxy").endswith("OTEL_EXPORTER_PRW_PROXY names it")


@pytest.mark.parametrize("status", [403, 407, 502])
def test_proxy_that_refuses_the_tunnel(start_server, status, tmp_path):
    proxy = start_server(answer(status, keep=False))
    done = check(tmp_path, "https://receiver.example/write", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}")
    assert (done.status, done.failures) == (1, {"proxy-refused"})
    assert f"answered {status} to CONNECT" in done.text("proxy-refused")
    assert "HTTPS_PROXY" in done.cure("proxy-refused")


def test_tunnel_leads_to_the_receiver(start_server, authority, tmp_path):
    server, proxy = start_server(answer(), tls=shows(authority)), start_server(tunnel)
    done = check(
        tmp_path,
        f"{server.url}/write",
        HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}",
        OTEL_EXPORTER_PRW_CERTIFICATE=authority.path,
    )
    assert (done.status, done.failures) == (0, set())
    assert done.text("tunnel") == f"the proxy connects to 127.0.0.1:{server.port}"
    assert done.text("tls").startswith("TLSv1.3")


def test_proxy_that_does_not_run(tmp_path):
    done = check(tmp_path, "http://receiver.example/write", HTTP_PROXY=f"http://127.0.0.1:{free_port()}")
    assert (done.status, done.failures) == (1, {"tcp"})
    assert "look at HTTP_PROXY" in done.cure("tcp")


def test_proxy_that_is_none(tmp_path):
    done = check(tmp_path, "http://receiver.example/write", HTTP_PROXY="socks5://me:hunter2@proxy")
    assert (done.status, done.failures) == (1, {"proxy"})
    assert "hunter2" not in str(done.findings)


def test_what_answers_is_not_http(start_server, tmp_path):
    server = start_server(raw(b"+OK ready\r\n"))
    done = check(tmp_path, f"{server.url}/write")
    assert (done.status, done.failures) == (1, {"no-answer"})
    assert "not HTTP" in done.text("no-answer")
    assert "something else" in done.cure("no-answer")
