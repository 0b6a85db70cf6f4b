"""Secrets and certificates as files, exchanged as kubelet does it: the whole exporter, also under the launcher."""

from __future__ import annotations

import logging
import os
from itertools import groupby
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX, variable
from tests.end_to_end.application import Application
from tests.servers.certificates import Certificates, KeyPair
from tests.transport.pki import Pki, client_of
from tests.transport.scripted_server import ScriptedServer, answer
from tests.transport.volume import Volume

UNREADABLE = Path("/proc/self/mem")
TOO_MUCH = b"x" * (1 << 20) + b"\n"
PUSHES = """\
from opentelemetry import metrics

orders = metrics.get_meter("shop").create_counter("orders")
for _ in range(4):
    orders.add(1)
    metrics.get_meter_provider().force_flush()
print("done")
"""


@pytest.fixture
def start_application(server_stack, request):
    """start_application(url, **settings): an application that pushes when the test says so."""

    def start(url, **settings):
        application = Application(url, request.node.name, **settings)
        server_stack.callback(application.close)
        application.meter.create_counter("orders").add(1)
        return application

    return start


@pytest.fixture
def start_server(server_stack):
    """start_server(behaviour, tls=): a scripted server, stopped after the test."""
    return lambda *arguments, **keywords: server_stack.enter_context(ScriptedServer(*arguments, **keywords))


def tls_config(volume):
    return {"ca_file": str(volume["ca.crt"]), "cert_file": str(volume["tls.crt"]), "key_file": str(volume["tls.key"])}


# Exchanged while everything runs.


def test_a_rotated_client_certificate_is_in_use_within_three_exports_behind_nginx(
    receiver, start_nginx, start_application, tmp_path, caplog
):
    pki = Pki()
    site = Volume(tmp_path / "site", pki.server_files())
    pair = KeyPair(site["tls.crt"], site["tls.key"])
    certificates = Certificates(site["ca.crt"], server=pair, client=pair)
    nginx = start_nginx(receiver.url, certificates=certificates, demand_client_certificate=True)
    volume = Volume(tmp_path / "tls", pki.files("first"))
    application = start_application(f"{nginx.https_url}/api/v1/write", tls_config=tls_config(volume))
    assert [application.push() for _ in range(2)] == [True] * 2
    volume.update(pki.files("second"))
    assert [application.push() for _ in range(3)] == [True] * 3
    requests = nginx.requests(at_least=5)
    clients = [request.client.split(",")[0] for request in requests]
    assert clients == ["CN=first"] * 2 + ["CN=second"] * 3
    assert len({request.connection for request in requests}) == 2
    assert caplog.records == []


def test_a_receiver_of_another_authority_gets_all_that_waited_once_the_volume_has_it(
    start_server, start_application, tmp_path
):
    old, new = Pki(), Pki()
    server = start_server(answer(keep=False), tls=old.server())
    volume = Volume(tmp_path / "tls", old.files("first"))
    application = start_application(server.url, tls_config=tls_config(volume), protocol="1.0")
    assert application.push()
    sent = len(server.requests)
    server.tls = new.server()
    assert not application.push()
    assert len(server.requests) == sent
    volume.update(new.files("second"))
    assert application.push()
    assert len(server.requests) == sent + 2


def test_a_password_that_was_exchanged_goes_with_the_next_export(
    receiver, start_nginx, start_application, tmp_path, caplog
):
    nginx = start_nginx(receiver.url, users={"user": "first"})
    volume = Volume(tmp_path / "auth", {"password": b"first\n"})
    auth = {"username": "user", "password_file": str(volume["password"])}
    application = start_application(f"{nginx.url}/api/v1/write", basic_auth=auth)
    assert application.push()
    (nginx.folder / "htpasswd").write_text("user:{PLAIN}second\n")
    volume.update({"password": b"second\n"})
    assert application.push()
    assert [request.status for request in nginx.requests(at_least=2)] == [204, 204]
    assert caplog.records == []


class Guard:
    """Answers 401 to whoever has not the token of the hour.

    Args:
        token: The first one.
        let_in: Called when somebody was let in.
    """

    def __init__(self, token, let_in=lambda: None):
        self.token = token
        self.let_in = let_in

    def __call__(self, exchange):
        if exchange.request.headers["authorization"] != f"Bearer {self.token}":
            return answer(401, body=b"who are you?")(exchange)
        self.let_in()
        return answer()(exchange)


def tokens(server):
    """The tokens that were sent, with how many requests in a row had each."""
    sent = [request.headers["authorization"].removeprefix("Bearer ") for request in server.requests]
    return [(token, len(list(group))) for token, group in groupby(sent)]


def test_a_token_that_is_refused_is_read_again_at_once_even_where_its_file_seems_unchanged(
    start_server, start_application, tmp_path, caplog
):
    path = tmp_path / "token"

    def write(token):
        path.write_text(token)
        os.utime(path, (1, 1))  # same time, size and identity: nobody can tell without reading

    write("token-1")
    guard = Guard("token-1")
    server = start_server(guard)
    application = start_application(server.url, bearer_token_file=str(path), protocol="1.0")
    assert application.push()  # samples, and metadata in a request of their own
    write("token-2")
    guard.token = "token-2"
    assert application.push()
    assert tokens(server) == [("token-1", 3), ("token-2", 1)]
    assert caplog.records == []


def test_a_refused_token_whose_file_has_become_bad_is_sent_once_more_and_both_is_told(
    start_server, start_application, tmp_path, caplog
):
    volume = Volume(tmp_path / "auth", {"token": b"token-1"})
    guard = Guard("token-1")
    server = start_server(guard)
    application = start_application(server.url, bearer_token_file=str(volume["token"]), protocol="1.0")
    assert application.push()
    volume.update({"token": b""})
    guard.token = "token-2"
    assert not application.push()
    assert tokens(server) == [("token-1", 4)]
    kept, refused = caplog.records
    path = str(volume["token"])
    assert kept.message.startswith(
        f"OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE: {path!r} is empty; keeping the last valid content"
    )
    assert "answered 401" in refused.message
    assert {kept.levelno, refused.levelno} == {logging.WARNING}
    assert "token-1" not in caplog.text


# Never usable.

SECRETS = ["password_file", "bearer_token_file"]
TLS = ["certificate", "client_certificate", "client_key"]
TLS_FILES = dict(zip(TLS, ["ca.crt", "tls.crt", "tls.key"], strict=True))


@pytest.fixture
def files(tmp_path):
    """The files of a client, each of them good."""
    return Volume(tmp_path / "files", {**Pki().files("client"), "secret": b"s3cret"})


def keywords(setting, files):
    """What an exporter is given to use a file, and those that belong to it."""
    given = {
        "password_file": {"basic_auth": {"username": "user", "password_file": str(files["secret"])}},
        "bearer_token_file": {"bearer_token_file": str(files["secret"])},
    }
    return given.get(setting, {"tls_config": tls_config(files)})


def as_folder(path):
    path.unlink()
    path.mkdir()


BAD = {
    "an empty file": (lambda path: path.write_bytes(b""), "is empty"),
    "a directory": (as_folder, "is a directory"),
    "no file": (lambda path: path.unlink(), "cannot be read: No such file or directory"),
    "a file that is too large": (lambda path: path.write_bytes(TOO_MUCH), "is larger than 1 MiB"),
}
TWO_LINES = (lambda path: path.write_bytes(b"s3cret\nmore\n"), "holds a line break or a control character")
BAD_FILES = [(setting, *bad) for setting in [*SECRETS, *TLS] for bad in BAD.values()]
BAD_FILES += [(setting, *TWO_LINES) for setting in SECRETS]


@pytest.mark.parametrize(
    ("setting", "spoil", "reason"), BAD_FILES, ids=[f"{setting} {reason}" for setting, _, reason in BAD_FILES]
)
def test_a_file_that_cannot_be_used_is_one_error_and_nothing_is_sent(
    *, start_server, start_application, files, caplog, setting, spoil, reason
):
    server = start_server(tls=Pki().server() if setting in TLS else None)
    path = files[TLS_FILES.get(setting, "secret")]
    spoil(path)
    application = start_application(server.url, **keywords(setting, files))
    assert [application.push(), application.push()] == [False, False]
    assert server.connections == 0
    assert_one_error(caplog, f"{variable(setting)}: {str(path)!r} {reason}")


@pytest.mark.skipif(not UNREADABLE.exists(), reason="only Linux has a file that nobody can read, not even root")
@pytest.mark.parametrize("setting", [*SECRETS, *TLS])
def test_a_file_that_cannot_be_read_is_one_error_and_nothing_is_sent(
    start_server, start_application, files, caplog, setting
):
    server = start_server(tls=Pki().server() if setting in TLS else None)
    path = files[TLS_FILES.get(setting, "secret")]
    path.unlink()
    path.symlink_to(UNREADABLE)
    application = start_application(server.url, **keywords(setting, files))
    assert [application.push(), application.push()] == [False, False]
    assert server.connections == 0
    assert_one_error(caplog, f"{variable(setting)}: {str(path)!r} cannot be read: Input/output error")


def assert_one_error(caplog, words):
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message.startswith(f"Metrics were not delivered: {words}")
    assert "s3cret" not in caplog.text


def test_what_waited_for_a_usable_file_is_sent_when_it_is_one(start_server, start_application, files):
    server = start_server()
    files["secret"].write_text("")
    application = start_application(server.url, bearer_token_file=str(files["secret"]), protocol="1.0")
    assert not application.push()
    files["secret"].write_text("s3cret\n")
    assert application.push()
    assert tokens(server) == [("s3cret", 3)]  # samples and metadata of the first export, samples of the second


# Under the launcher.


def launch(fully, source="", **variables):
    ended = fully(source, **{PREFIX + name: str(value) for name, value in variables.items()})
    assert ended.status == 0
    return ended


def test_a_token_is_exchanged_under_a_process_that_knows_of_nothing(fully, start_server, tmp_path):
    volume = Volume(tmp_path / "auth", {"token": b"token-1\n"})

    def exchange():
        if guard.token == "token-1":
            guard.token = "token-2"
            volume.update({"token": b"token-2\n"})

    guard = Guard("token-1", exchange)
    server = start_server(guard)
    one_by_one = {"PROTOCOL": "1.0", "MAX_CONCURRENT_REQUESTS": "1"}
    ended = launch(fully, PUSHES, ENDPOINT=server.url, BEARER_TOKEN_FILE=volume["token"], **one_by_one)
    assert (ended.output, ended.errors) == ("done\n", [])
    assert [token for token, _ in tokens(server)] == ["token-1", "token-2"]


def test_certificates_are_exchanged_under_a_process_that_knows_of_nothing(fully, start_server, tmp_path):
    pki, clients = Pki(), []
    volume = Volume(tmp_path / "tls", pki.files("first"))

    def act(exchange):
        clients.append(client_of(exchange.connection))
        if len(clients) == 1:
            volume.update(pki.files("second"))
        return answer()(exchange)

    server = start_server(act, tls=pki.server())
    paths = {name.upper(): volume[file] for name, file in TLS_FILES.items()}
    ended = launch(fully, PUSHES, ENDPOINT=server.url, PROTOCOL="1.0", MAX_CONCURRENT_REQUESTS="1", **paths)
    assert (ended.output, ended.errors) == ("done\n", [])
    assert clients == ["first"] + ["second"] * (len(clients) - 1)
    assert len(clients) >= 4


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("PASSWORD_FILE", b"\n", "is empty", id="an empty password"),
        pytest.param("BEARER_TOKEN_FILE", b"s3cret\nmore", "holds a line break", id="a token of two lines"),
        pytest.param("BEARER_TOKEN_FILE", TOO_MUCH, "is larger than 1 MiB", id="a token that is too large"),
        pytest.param("CERTIFICATE", b"s3cret", "holds no certificate in PEM form", id="no authorities"),
    ],
)
def test_a_bad_file_is_one_line_on_standard_error(*, fully, start_server, tmp_path, name, content, reason):
    path = tmp_path / "file"
    path.write_bytes(content)
    server = start_server()
    variables = {"ENDPOINT": server.url, name: path}
    if name == "PASSWORD_FILE":
        variables["USERNAME"] = "user"
    if name == "CERTIFICATE":
        variables["ENDPOINT"] = server.url.replace("http:", "https:")
    error, *others = launch(fully, **variables).errors
    assert f"{PREFIX}{name}: {str(path)!r} {reason}" in error
    assert "s3cret" not in error
    assert all(line.startswith("Metrics are lost") for line in others)  # at the exit, those that have waited
    assert server.connections == 0


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param("PASSWORD", "s3cret\nmore", "holds a control character or a line break", id="two lines"),
        pytest.param("BEARER_TOKEN", "s3cret\nmore", "holds a control character or a line break", id="token"),
        pytest.param("BEARER_TOKEN", "s3cret$(SECRET)", "still holds $(SECRET), which Kubernetes", id="unexpanded"),
    ],
)
def test_a_bad_value_is_one_line_on_standard_error(*, fully, start_server, name, value, reason):
    server = start_server()
    username = {"USERNAME": "user"} if name == "PASSWORD" else {}
    (error,) = launch(fully, ENDPOINT=server.url, **username, **{name: value}).errors
    assert error.startswith(f"{PREFIX}{name} {reason}")
    assert error.endswith("; nothing is sent")
    assert "s3cret" not in error
    assert server.connections == 0
