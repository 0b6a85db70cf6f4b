"""A server process comes up, or says why not, and is gone when it is stopped, together with its children."""

import sys

import pytest

from tests.servers.ports import accepts, free_port, wait_until_closed
from tests.servers.process import ServerFailedError, ServerProcess


def test_a_server_that_ends_early_shows_its_log(tmp_path):
    with pytest.raises(ServerFailedError, match=r"(?s)ended before it served.*no such option"):
        _process(tmp_path, "print('no such option')", ready=lambda: False).start()


def test_a_server_that_does_not_serve_is_given_up_and_stopped(tmp_path):
    process = _process(tmp_path, "import time; print('loading', flush=True); time.sleep(60)", ready=lambda: False)
    with pytest.raises(ServerFailedError, match=r"does not serve after 0\.5 s"):
        process.start(timeout=0.5)
    assert not process.running


def test_a_stopped_server_takes_its_children_along(tmp_path):
    port = free_port()
    child = f"import socket, time; listener = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = _process(tmp_path, parent, ready=lambda: accepts(port))
    process.start()
    process.stop()
    wait_until_closed(port)


def test_a_server_that_ignores_the_request_to_end_is_killed(tmp_path):
    deaf = "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    mark = tmp_path / "deaf"
    process = _process(tmp_path, f"{deaf}; pathlib.Path({str(mark)!r}).touch(); time.sleep(60)", ready=mark.exists)
    process.start()
    process.stop(timeout=0.2)
    assert not process.running


def test_a_process_can_be_started_again_but_not_twice(tmp_path):
    process = _process(tmp_path, "import time; time.sleep(60)", ready=lambda: True)
    process.start()
    with pytest.raises(RuntimeError, match="is running already"):
        process.start()
    process.kill()
    process.start()
    process.stop()
    process.stop()
    assert not process.running


def test_a_free_port_has_no_listener():
    assert not accepts(free_port())


def _process(folder, script, ready):
    return ServerProcess([sys.executable, "-c", script], log=folder / "log", ready=ready)
