import gc
import logging
import os
import threading

import pytest
import trustme

from opentelemetry.exporter.prometheus_remote_write.errors import Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.transport.deadline import deadline
from opentelemetry.exporter.prometheus_remote_write.transport.rotation import Rotating
from tests.transport.pki import Pki, client_of
from tests.transport.scripted_server import answer, in_turn
from tests.transport.volume import Volume


class Reader:
    """Makes something out of a file, counts how often, and refuses what is no number."""

    def __init__(self, path):
        self.path = path
        self.calls = 0

    def __call__(self):
        self.calls += 1
        try:
            return int(self.path.read_text())
        except (OSError, ValueError):
            raise Unsendable(f"FILE: {str(self.path)!r} is no number") from None


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "number"
    path.write_text("1")
    return path


@pytest.fixture
def read(path):
    return Reader(path)


@pytest.fixture
def minutes():
    """A clock, in minutes."""
    return [0]


@pytest.fixture
def number(path, read, minutes):
    return Rotating([str(path), ""], read, clock=lambda: minutes[0] * 60)


def test_nothing_is_read_before_it_is_needed(number, read):
    assert read.calls == 0
    assert number.current() == 1


def test_what_has_not_changed_is_not_read_again(number, read):
    assert [number.current() for _ in range(3)] == [1, 1, 1]
    assert read.calls == 1


def test_without_files_it_is_made_once(read):
    nothing = Rotating(["", ""], read)
    assert [nothing.current() for _ in range(3)] == [1, 1, 1]
    assert read.calls == 1


def test_what_has_changed_is_read_again(number, path):
    number.current()
    path.write_text("22")
    assert number.current() == 22


def test_any_of_several_files_counts(path, read, tmp_path):
    other = tmp_path / "other"
    number = Rotating([str(other), str(path)], read)
    number.current()
    other.write_text("now there")
    number.current()
    assert read.calls == 2


def test_a_link_that_leads_elsewhere_is_a_change_as_kubelet_makes_it(tmp_path):
    volume = Volume(tmp_path / "volume", {"number": b"1"})
    number = Rotating([str(volume["number"])], Reader(volume["number"]))
    assert number.current() == 1
    volume.update({"number": b"2"})
    assert number.current() == 2


def test_on_demand_it_is_read_again_although_it_seems_unchanged(number, path, read):
    os.utime(path, (1, 1))
    number.current()
    path.write_text("2")
    os.utime(path, (1, 1))  # same time, size and identity: nobody can tell without reading
    assert number.current() == 1
    number.renew()
    assert [number.current(), number.current()] == [2, 2]
    assert read.calls == 2


def test_what_never_could_be_used_is_an_error_each_time_and_no_warning(number, path, caplog):
    path.write_text("")
    for _ in range(2):
        with pytest.raises(Unsendable, match="is no number"):
            number.current()
    assert caplog.records == []
    path.write_text("5")
    assert number.current() == 5


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.write_text("half"), id="half written"),
        pytest.param(lambda path: path.unlink(), id="gone"),
    ],
)
def test_the_last_good_one_is_kept_and_that_is_said_once(number, path, spoil, caplog):
    number.current()
    spoil(path)
    assert [number.current(), number.current()] == [1, 1]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    expected = f"FILE: {str(path)!r} is no number; keeping the last valid content until the file is fixed"
    assert record.message == expected


def test_one_that_is_kept_is_exchanged_as_soon_as_it_is_mended(number, path):
    number.current()
    path.write_text("half")
    number.current()
    path.write_text("33")
    assert number.current() == 33


@pytest.mark.parametrize(("later", "warnings"), [(0.9, 1), (1, 2)])
def test_a_new_fault_is_told_at_most_once_a_minute(*, number, path, caplog, minutes, later, warnings):
    for minute in (0, later):
        minutes[0] = minute
        path.write_text("4")
        assert number.current() == 4
        path.unlink()
        assert number.current() == 4
    assert len(caplog.records) == warnings


def test_a_fault_that_was_not_told_because_of_one_just_before_is_told_when_it_lasts(number, path, caplog, minutes):
    for _ in range(2):
        path.write_text("4")
        number.current()
        path.unlink()
        number.current()
    assert len(caplog.records) == 1
    for minutes[0] in (0.9, 1, 1.1, 5):
        assert number.current() == 4
    assert len(caplog.records) == 2


class Hanging:
    """Something that hangs, as the file of a dead NFS, from when it is told to on."""

    def __init__(self):
        self.hangs, self.go, self.calls = False, threading.Event(), 0

    def __call__(self):
        self.calls += 1
        if self.hangs:
            self.go.wait(60)
        return self.calls


@pytest.fixture
def hanging():
    hanging = Hanging()
    yield hanging
    hanging.go.set()


def test_what_never_answered_is_an_error_when_the_time_is_over_and_read_by_one_thread_only(path, hanging):
    hanging.hangs = True
    number = Rotating([str(path)], hanging)
    for _ in range(3):
        with deadline(0.05), pytest.raises(Retryable, match=f"^'{path}' does not answer"):
            number.current()
    assert hanging.calls == 1


def test_where_there_is_something_to_keep_a_file_that_hangs_is_waited_for_once_and_a_warning_says_so(
    path, hanging, caplog
):
    number = Rotating([str(path)], hanging)
    assert number.current() == 1
    hanging.hangs = True
    number.renew()
    with deadline(60):
        assert [number.current() for _ in range(100)] == [1] * 100
    (record,) = caplog.records
    assert record.message == f"{str(path)!r} does not answer; keeping the last valid content until the file is fixed"
    hanging.go.set()
    moment = threading.Event()
    while number.current() == 1:
        moment.wait(0.01)
    assert hanging.calls == 2


def test_an_interruption_ends_the_wait_for_a_file(path, hanging):
    hanging.hangs = True
    number = Rotating([str(path)], hanging)
    with deadline(60) as end:
        threading.Timer(0.05, end.interrupt).start()
        with pytest.raises(Retryable):
            number.current()


def test_several_threads_read_once(path, hanging):
    hanging.hangs, made = True, []
    number = Rotating([str(path)], hanging)
    threads = [threading.Thread(target=lambda: made.append(number.current())) for _ in range(4)]
    for thread in threads:
        thread.start()
    while hanging.calls < 1:
        threading.Event().wait(0.01)
    hanging.go.set()
    for thread in threads:
        thread.join(60)
    assert made == [1] * 4


def test_what_is_replaced_or_not_needed_any_more_is_discarded(path, read):
    discarded = []
    number = Rotating([str(path)], read, discard=discarded.append)
    number.current()
    path.write_text("22")
    number.current()
    assert discarded == [1]
    number.close()
    assert discarded == [1, 22]


def test_what_is_made_after_the_end_is_discarded_at_once(path, hanging):
    hanging.hangs, discarded = True, []
    number = Rotating([str(path)], hanging, discard=discarded.append)
    with deadline(0.05), pytest.raises(Retryable):
        number.current()
    number.close()
    hanging.go.set()
    while not discarded:
        threading.Event().wait(0.01)
    assert discarded == [1]


# Certificates, with real servers.


SETTINGS = {"certificate": "ca.crt", "client_certificate": "tls.crt", "client_key": "tls.key"}
VARIABLES = {file: f"OTEL_EXPORTER_PRW_{setting.upper()}" for setting, file in SETTINGS.items()}


@pytest.fixture
def pki():
    return Pki()


@pytest.fixture
def volume(pki, tmp_path):
    return Volume(tmp_path / "tls", pki.files("first"))


@pytest.fixture
def clients():
    """Who has sent each request, by the certificate of its connection."""
    return []


@pytest.fixture
def server(start_server, pki, clients):
    """A server that keeps each connection alive, and knows who is at its other end."""

    def act(exchange):
        clients.append(client_of(exchange.connection))
        return answer()(exchange)

    return start_server(act, tls=pki.server())


@pytest.fixture
def transport(make_transport, server, volume):
    return make_transport(server.url, **{setting: str(volume[file]) for setting, file in SETTINGS.items()})


def post(transport, times=1):
    for _ in range(times):
        assert transport.post(b"x", {}, 60).status == 204


def test_a_rotated_certificate_goes_with_the_next_request_although_the_connection_is_alive(
    transport, server, volume, pki, clients
):
    post(transport, 2)
    volume.update(pki.files("second"))
    post(transport, 2)
    assert clients == ["first", "first", "second", "second"]
    assert server.connections == 2


def test_connections_are_closed_at_once_and_not_left_to_the_garbage_collector(transport, server, volume, pki):
    def fail(transport):
        with pytest.raises(Retryable):  # its traceback refers to the connections, and is part of a cycle
            transport.post(b"x", {}, 60)

    server.behaviour = answer(503)
    gc.disable()
    try:
        fail(transport)
        volume.update(pki.files("second"))
        fail(transport)
        assert server.has_ended(1)
        transport.close()
        assert server.has_ended(2)
    finally:
        gc.enable()


def test_a_server_of_a_new_authority_is_trusted_as_soon_as_the_file_has_it(transport, server, volume, clients):
    post(transport)
    new = Pki()
    server.tls = new.server()
    post(transport)  # on the connection that there is
    volume.update(new.files("second"))
    post(transport)
    assert clients == ["first", "first", "second"]
    assert server.connections == 2


def test_an_authority_that_was_taken_away_is_not_trusted_any_more_although_the_connection_is_alive(
    transport, server, volume, clients
):
    post(transport)
    volume.update(Pki().files("second"))
    with pytest.raises(Unsendable, match="is not trusted"):
        transport.post(b"x", {}, 60)
    assert clients == ["first"]
    assert server.has_ended(1)


def test_a_request_under_way_ends_on_its_old_connection_which_is_closed_then(transport, server, volume, pki):
    arrived, go = threading.Event(), threading.Event()

    def wait_to_go(exchange):
        arrived.set()
        go.wait(60)
        return answer()(exchange)

    server.behaviour = wait_to_go
    old = threading.Thread(target=post, args=(transport,))
    old.start()
    assert arrived.wait(60)
    server.behaviour = answer()
    volume.update(pki.files("second"))
    post(transport)
    go.set()
    old.join(60)
    assert server.has_ended(1)
    post(transport)
    assert [request.connection for request in server.requests] == [1, 2, 2]


def test_no_request_fails_while_files_are_exchanged_again_and_again(transport, volume, pki, clients):
    threads = [threading.Thread(target=post, args=(transport, 20)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        volume.update(pki.files(str(number)))
        post(transport)
    for thread in threads:
        thread.join(60)
    post(transport)
    assert len(clients) == 4 * 20 + 20 + 1
    assert clients[-1] == "19"


def half_of(file):
    """A file of which only the first half is written yet."""
    return lambda volume: volume[file].write_bytes(volume[file].read_bytes()[:400])


def with_file(file, data):
    return lambda volume: volume[file].write_bytes(data)


def without(file):
    return lambda volume: volume[file].unlink()


def as_folder(file):
    def spoil(volume):
        volume[file].unlink()
        volume[file].mkdir()

    return spoil


def key_of_another(volume):
    volume["tls.key"].write_bytes(trustme.CA().issue_cert("other.example").private_key_pem.bytes())


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        pytest.param(half_of("tls.crt"), "tls.crt", "do not hold a certificate and its key", id="half a certificate"),
        pytest.param(key_of_another, "tls.crt", "does not belong to the certificate", id="only the key is new"),
        pytest.param(half_of("ca.crt"), "ca.crt", "holds no certificate", id="half an authority"),
        pytest.param(with_file("ca.crt", b""), "ca.crt", "is empty", id="an empty authority"),
        pytest.param(with_file("tls.key", b"x" * 1048577), "tls.key", "is larger than 1 MiB", id="a huge key"),
        pytest.param(without("tls.key"), "tls.key", "No such file", id="no key"),
        pytest.param(as_folder("ca.crt"), "ca.crt", "is a directory", id="a folder"),
    ],
)
def test_what_cannot_be_loaded_leaves_the_last_good_one_in_use_and_is_said_once(
    *, transport, server, volume, clients, caplog, spoil, file, words
):
    post(transport)
    spoil(volume)
    post(transport, 3)
    assert (clients, server.connections) == (["first"] * 4, 1)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.startswith(VARIABLES[file])
    assert str(volume[file]) in record.message
    assert words in record.message


def test_a_certificate_that_was_half_written_is_used_when_it_is_whole(transport, volume, pki, clients, caplog):
    post(transport)
    new = pki.files("second")
    volume["tls.crt"].write_bytes(new["tls.crt"][:400])
    post(transport)
    volume["tls.crt"].write_bytes(new["tls.crt"])  # the key is still the old one
    post(transport)
    volume["tls.key"].write_bytes(new["tls.key"])
    post(transport)
    assert clients == ["first", "first", "first", "second"]
    assert len(caplog.records) == 1


def test_that_verification_is_off_is_said_once_however_often_files_change(make_transport, server, volume, pki, caplog):
    given = {setting: str(volume[file]) for setting, file in SETTINGS.items()}
    transport = make_transport(server.url, insecure_skip_verify=True, **given)
    post(transport)
    volume.update(pki.files("second"))
    post(transport)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"new\nsecret"), id="two lines"),
        pytest.param(lambda path: path.unlink(), id="gone"),
    ],
)
@pytest.mark.parametrize("setting", ["password_file", "bearer_token_file"])
def test_a_secret_that_cannot_be_read_again_stays_in_use(
    *, start_server, make_transport, tmp_path, caplog, setting, spoil
):
    server = start_server()
    volume = Volume(tmp_path / "auth", {"secret": b"first\n"})
    username = "user" if setting == "password_file" else ""
    transport = make_transport(server.url, username=username, **{setting: str(volume["secret"])})
    post(transport)
    spoil(volume["secret"])
    post(transport)
    server.behaviour = in_turn(answer(401), answer())
    post(transport)  # the file is read again, in vain
    assert len({request.headers["authorization"] for request in server.requests}) == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.startswith(f"OTEL_EXPORTER_PRW_{setting.upper()}: {str(volume['secret'])!r} ")
    assert "new" not in record.message
    volume["secret"].unlink(missing_ok=True)
    volume["secret"].write_text("second\n")
    post(transport)
    assert server.requests[-1].headers["authorization"] != server.requests[0].headers["authorization"]
