import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from opentelemetry.exporter.prometheus_remote_write.delivery.hints import hint
from opentelemetry.exporter.prometheus_remote_write.errors import Retryable, SendError, Unsendable
from tests.transport.scripted_server import answer, drip, in_turn, tunnel

UNREADABLE = Path("/proc/self/mem")


@pytest.fixture
def start_tls_server(start_server, certificates):
    """start_tls_server(behaviour, demand=False, version=, certificates=): a server with TLS."""

    def start(*arguments, demand=False, version=ssl.TLSVersion.TLSv1_3, certificates=certificates):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server.certificate, certificates.server.key)
        context.maximum_version = version
        if demand:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(certificates.ca)
        return start_server(*arguments, tls=context)

    return start


def test_a_certificate_of_an_unknown_authority_is_refused_and_nothing_sent(start_tls_server, make_transport):
    server = start_tls_server()
    with pytest.raises(Unsendable, match=r"is not trusted: .*certificate.*nothing was sent.*_CERTIFICATE"):
        make_transport(server.url).post(b"x", {}, 60)
    assert server.requests == []


def test_it_is_accepted_when_its_authority_is_given(start_tls_server, make_transport, certificates):
    server = start_tls_server()
    transport = make_transport(server.url, certificate=str(certificates.ca))
    assert transport.post(b"x", {}, 60).status == 204
    assert transport.post(b"x", {}, 60).status == 204
    assert server.connections == 1


def test_it_is_accepted_when_the_system_knows_its_authority(
    start_tls_server, make_transport, certificates, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))  # read by OpenSSL itself
    assert make_transport(start_tls_server().url).post(b"x", {}, 60).status == 204


def test_a_given_authority_takes_the_place_of_the_systems(
    start_tls_server, make_transport, certificates, make_certificates, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    with pytest.raises(Unsendable, match="is not trusted"):
        make_transport(start_tls_server().url, certificate=str(make_certificates().ca)).post(b"x", {}, 60)


def test_without_verification_it_is_accepted_with_one_warning(start_tls_server, make_transport, caplog, recwarn):
    transport = make_transport(start_tls_server().url + "/w?token=secret", insecure_skip_verify=True)
    assert caplog.text == ""
    for _ in range(2):
        assert transport.post(b"x", {}, 60).status == 204
    (record,) = caplog.records
    assert (record.levelname, record.message.split()[0]) == ("WARNING", "OTEL_EXPORTER_PRW_INSECURE_SKIP_VERIFY")
    assert "secret" not in record.message
    assert list(recwarn) == []


def test_without_verification_the_warning_names_a_proxy_by_tls_too(start_tls_server, make_transport, caplog):
    proxy = start_tls_server()
    transport = make_transport("http://receiver.example/", proxies={"http": proxy.url}, insecure_skip_verify=True)
    assert transport.post(b"x", {}, 60).status == 204
    (record,) = caplog.records
    assert f"anyone on the path can impersonate {proxy.url} and read" in record.message
    receiver, proxy = start_tls_server(), start_tls_server(tunnel)
    transport = make_transport(receiver.url, proxies={"https": proxy.url}, insecure_skip_verify=True)
    assert transport.post(b"x", {}, 60).status == 204
    assert f"impersonate {receiver.url} and the proxy {proxy.url} and read" in caplog.records[1].message


def test_without_verification_the_warning_names_the_token_endpoint_too(start_server, make_transport, caplog):
    given = {"oauth2_client_id": "a", "oauth2_client_secret": "b", "auth": "oauth2"}
    token = "https://127.0.0.1:9/token"
    transport = make_transport(start_server().url, insecure_skip_verify=True, oauth2_token_url=token, **given)
    with pytest.raises(SendError):
        transport.post(b"x", {}, 60)
    assert f"impersonate the token endpoint {token} and read" in caplog.records[0].message


def test_without_verification_a_connection_in_the_clear_warns_of_nothing(start_server, make_transport, caplog):
    make_transport(start_server().url, insecure_skip_verify=True).post(b"x", {}, 60)
    assert caplog.text == ""


def test_a_certificate_for_another_name_is_refused(start_tls_server, make_transport, make_certificates):
    other = make_certificates("receiver.example")
    server = start_tls_server(certificates=other)
    with pytest.raises(Unsendable, match=r"not trusted: .*mismatch.*TLS_SERVER_NAME"):
        make_transport(server.url, certificate=str(other.ca)).post(b"x", {}, 60)
    assert server.requests == []


def test_the_server_name_is_asked_for_and_verified(start_tls_server, make_transport, make_certificates):
    other = make_certificates("receiver.example")
    server = start_tls_server(certificates=other)
    transport = make_transport(server.url, certificate=str(other.ca), tls_server_name="receiver.example")
    assert transport.post(b"x", {}, 60).status == 204
    assert server.server_names == ["receiver.example"]


def test_a_server_name_that_is_not_the_certificates_is_refused(start_tls_server, make_transport, certificates):
    transport = make_transport(start_tls_server().url, certificate=str(certificates.ca), tls_server_name="no.example")
    with pytest.raises(Unsendable, match="not trusted: Hostname mismatch"):
        transport.post(b"x", {}, 60)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def test_a_server_that_demands_a_certificate_refuses_us_without(
    start_tls_server, make_transport, certificates, version
):
    server = start_tls_server(demand=True, version=version)
    with pytest.raises(Unsendable, match=r"refused the TLS handshake .*alert.*CLIENT_CERTIFICATE"):
        make_transport(server.url, certificate=str(certificates.ca)).post(b"x", {}, 60)
    assert server.requests == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def test_a_server_that_demands_a_certificate_accepts_ours(start_tls_server, make_transport, certificates, version):
    transport = make_transport(
        start_tls_server(demand=True, version=version).url,
        certificate=str(certificates.ca),
        client_certificate=str(certificates.client.certificate),
        client_key=str(certificates.client.key),
    )
    assert transport.post(b"x", {}, 60).status == 204


def test_certificate_and_key_may_stand_in_one_file(start_tls_server, make_transport, certificates, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(certificates.client.certificate.read_bytes() + certificates.client.key.read_bytes())
    transport = make_transport(
        start_tls_server(demand=True).url, certificate=str(certificates.ca), client_certificate=str(both)
    )
    assert transport.post(b"x", {}, 60).status == 204


def test_a_server_refuses_a_certificate_of_an_authority_that_it_does_not_know(
    start_tls_server, make_transport, certificates, make_certificates
):
    foreign = make_certificates().client
    server = start_tls_server(demand=True)
    transport = make_transport(
        server.url,
        certificate=str(certificates.ca),
        client_certificate=str(foreign.certificate),
        client_key=str(foreign.key),
    )
    with pytest.raises(Unsendable, match="refused the TLS handshake"):
        transport.post(b"x", {}, 60)
    assert server.requests == []


@pytest.fixture
def files(tmp_path, certificates):
    """Paths of files good and bad."""
    (tmp_path / "empty").touch()
    (tmp_path / "huge").write_bytes(bytes(1048577))
    (tmp_path / "garbage").write_text("this is no certificate")
    key = load_pem_private_key(certificates.client.key.read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    (tmp_path / "locked").write_bytes(locked)
    return {
        "nothing": str(tmp_path / "nothing"),
        "directory": str(tmp_path),
        "empty": str(tmp_path / "empty"),
        "huge": str(tmp_path / "huge"),
        "garbage": str(tmp_path / "garbage"),
        "locked": str(tmp_path / "locked"),
        "certificate": str(certificates.client.certificate),
        "key": str(certificates.client.key),
        "another key": str(certificates.server.key),
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"certificate": "nothing"}, "PRW_CERTIFICATE: '.*nothing' cannot be read: No such file"),
        ({"certificate": "directory"}, "PRW_CERTIFICATE: .* is a directory"),
        ({"certificate": "empty"}, "PRW_CERTIFICATE: '.*empty' is empty"),
        ({"certificate": "garbage"}, "PRW_CERTIFICATE: '.*garbage' holds no certificate"),
        ({"certificate": "huge"}, "PRW_CERTIFICATE: '.*huge' is larger than 1 MiB"),
        ({"client_certificate": "nothing", "client_key": "key"}, "CLIENT_CERTIFICATE: .* No such file"),
        ({"client_certificate": "certificate", "client_key": "nothing"}, "CLIENT_KEY: .* No such file"),
        ({"client_certificate": "certificate", "client_key": "directory"}, "CLIENT_KEY: .* is a directory"),
        ({"client_certificate": "certificate", "client_key": "empty"}, "CLIENT_KEY: .* is empty"),
        ({"client_certificate": "huge", "client_key": "key"}, "CLIENT_CERTIFICATE: .* is larger than 1 MiB"),
        ({"client_certificate": "certificate", "client_key": "garbage"}, "do not hold a certificate and its key"),
        ({"client_certificate": "certificate"}, "do not hold a certificate and its key"),
        ({"client_certificate": "certificate", "client_key": "another key"}, "does not belong to the certificate"),
        ({"client_certificate": "certificate", "client_key": "locked"}, "CLIENT_KEY: .* protected by a password"),
    ],
    ids=lambda value: " ".join(f"{name}={file}" for name, file in value.items()) if isinstance(value, dict) else "",
)
def test_files_that_cannot_be_used_stop_the_sending(start_tls_server, make_transport, files, settings, words):
    server = start_tls_server()
    paths = {name: files[file] for name, file in settings.items()}
    with pytest.raises(Unsendable, match=words):
        make_transport(server.url, **paths, insecure_skip_verify=True).post(b"x", {}, 60)
    assert server.connections == 0


@pytest.mark.skipif(not UNREADABLE.exists(), reason="only Linux has a file that nobody can read, not even root")
@pytest.mark.parametrize("setting", ["certificate", "client_certificate", "client_key"])
def test_a_file_that_nobody_can_read_is_called_by_its_setting(start_tls_server, make_transport, files, setting):
    server = start_tls_server()
    paths = {"client_certificate": files["certificate"], "client_key": files["key"], setting: str(UNREADABLE)}
    words = f"^OTEL_EXPORTER_PRW_{setting.upper()}: '{UNREADABLE}' cannot be read: Input/output error$"
    with pytest.raises(Unsendable, match=words):
        make_transport(server.url, **paths).post(b"x", {}, 60)
    assert server.connections == 0


def test_a_key_log_that_cannot_be_written_stops_the_sending(start_tls_server, make_transport, monkeypatch, tmp_path):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "no folder" / "keys"))  # read by Python itself
    with pytest.raises(Unsendable, match=r"TLS cannot be set up: .*keys': No such file"):
        make_transport(start_tls_server().url).post(b"x", {}, 60)


def test_a_file_that_has_been_mended_is_used_at_the_next_request(
    start_tls_server, make_transport, certificates, tmp_path
):
    path = tmp_path / "ca.pem"
    transport = make_transport(start_tls_server().url, certificate=str(path))
    with pytest.raises(Unsendable):
        transport.post(b"x", {}, 60)
    path.write_bytes(certificates.ca.read_bytes())
    assert transport.post(b"x", {}, 60).status == 204


def test_the_time_holds_for_a_handshake(make_transport):
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(Retryable, match="did not answer within"):
        make_transport(f"https://127.0.0.1:{listener.getsockname()[1]}").post(b"x", {}, 2)


def test_a_server_that_ends_in_the_middle_of_a_handshake_is_worth_another_try(make_transport):
    def hang_up():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=hang_up)
        server.start()
        with pytest.raises(Retryable, match=r"TLS failed \(the connection ended in the middle\)"):
            make_transport(f"https://127.0.0.1:{listener.getsockname()[1]}").post(b"x", {}, 60)
        server.join()


def test_the_time_holds_for_an_answer_that_drips(start_tls_server, make_transport, certificates):
    server = start_tls_server(in_turn(answer(), drip(b"", b"H")))
    transport = make_transport(server.url, certificate=str(certificates.ca))
    transport.post(b"x", {}, 60)
    with pytest.raises(Retryable, match="did not answer within"):
        transport.post(b"x", {}, 0.3)


def test_a_server_that_speaks_no_tls_gets_nothing(make_transport):
    received = []

    def answer_in_the_clear():
        connection, _ = listener.accept()
        with connection, suppress(ConnectionResetError):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            while data := connection.recv(65536):
                received.append(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answer_in_the_clear)
        server.start()
        with pytest.raises(Unsendable, match=r"does not speak TLS .*http:// instead"):
            make_transport(f"https://127.0.0.1:{listener.getsockname()[1]}").post(b"secret", {}, 60)
        server.join()
    assert b"secret" not in b"".join(received)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_plain_request_to_a_server_with_tls_is_told(start_tls_server, make_transport, version):
    server = start_tls_server(version=version)
    with pytest.raises(SendError) as caught:
        make_transport(server.url.replace("https:", "http:")).post(b"x" * 100_000, {}, 60)
    assert "https://" in hint(caught.value)
