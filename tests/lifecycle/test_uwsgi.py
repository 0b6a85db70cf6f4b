"""What is said of uWSGI's options."""

from __future__ import annotations

import logging
import os
import sys
from types import ModuleType

import pytest

from opentelemetry.exporter.prometheus_remote_write.lifecycle import uwsgi as our

OLD, NEW = (2, 0, 21, 0, ""), (2, 0, 31, 0, "")


@pytest.fixture
def uwsgi(monkeypatch):
    """Gives uWSGI's module, as it is in the worker of a master or in the process that is to fork."""

    def make(options, version=NEW, master=1):
        module = ModuleType("uwsgi")
        module.opt = options
        module.version_info = version
        module.masterpid = lambda: master
        module.worker_id = lambda: 0
        monkeypatch.setitem(sys.modules, "uwsgi", module)
        return module

    return make


@pytest.mark.parametrize(
    ("options", "version", "said"),
    [
        pytest.param({"py-call-uwsgi-fork-hooks": True}, NEW, [], id="all that a new one needs"),
        pytest.param({"py-call-osafterfork": True, "enable-threads": True}, OLD, [], id="all that an old one needs"),
        pytest.param({"py-call-osafterfork": True, "threads": b"4"}, OLD, [], id="threads come with threads"),
        pytest.param({b"py-call-osafterfork": b"true", b"enable-threads": b"1"}, OLD, [], id="names in bytes"),
        pytest.param({}, NEW, ["set py-call-uwsgi-fork-hooks"], id="no hooks"),
        pytest.param({}, OLD, ["set py-call-uwsgi-fork-hooks", "set enable-threads"], id="neither hooks nor threads"),
        pytest.param(
            {"py-call-osafterfork": True, "max-requests": b"9"}, NEW, ["set lazy-apps"], id="workers are recycled"
        ),
        pytest.param(
            {"py-call-uwsgi-fork-hooks": True, "max-requests": b"9"}, NEW, [], id="they are, and forks take the lock"
        ),
        pytest.param({"py-call-osafterfork": b"false"}, NEW, ["set py-call-uwsgi-fork-hooks"], id="it is switched off"),
        pytest.param(
            {"py-call-uwsgi-fork-hooks": True, "spooler": b"folder"}, NEW, ["set py-call-osafterfork"], id="a spooler"
        ),
        pytest.param(
            {"py-call-osafterfork": True, "skip-atexit": True}, NEW, ["do not set skip-atexit"], id="no exit handlers"
        ),
    ],
)
def test_one_line_names_the_options(uwsgi, caplog, options, version, said):
    uwsgi(options, version)
    with caplog.at_level(logging.WARNING):
        our.run_hooks_in_workers()
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == bool(said)
    assert all(words in line for line in lines for words in said)


@pytest.mark.parametrize(
    ("words", "is_there", "said"),
    [
        pytest.param(["python", "/venv/bin/pyuwsgi", "--master"], True, True, id="its own command"),
        pytest.param(["python", "/venv/bin/uwsgi"], True, True, id="in the place of uWSGI's"),
        pytest.param(["python", "/venv/bin/uwsgi"], False, False, id="another program of that name"),
        pytest.param(["python", "deploy.py", "uwsgi"], True, False, id="an argument of that name"),
        pytest.param(["python"], True, False, id="no program"),
    ],
)
def test_the_program_may_be_uwsgi_as_a_module(monkeypatch, tmp_path, words, is_there, said):
    if is_there:
        (tmp_path / "pyuwsgi.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "orig_argv", words)
    assert our.is_uwsgi() is said


def test_a_hook_of_the_application_s_is_kept(uwsgi):
    called = []
    module = uwsgi({})
    module.post_fork_hook = lambda: called.append(os.getpid())
    our.run_hooks_in_workers()
    module.post_fork_hook()
    assert called == [os.getpid()]


def test_elsewhere_nothing_is_hooked_and_no_thread_waits():
    before = list(sys.meta_path)
    our.run_hooks_in_workers()
    assert sys.meta_path == before
    assert not our.threads_wait(lambda: None)
    assert not our.inherits_counts()


@pytest.mark.parametrize(("master", "seconds"), [(0, 5.0), (1, 4.0)], ids=["no master", "a master"])
def test_a_master_takes_a_second_of_the_exit(uwsgi, master, seconds):
    uwsgi({}, master=master)
    assert our.time_for_exit(5.0) == seconds


def test_half_of_a_short_time_is_left(uwsgi):
    uwsgi({})
    assert our.time_for_exit(1.0) == 0.5


def test_the_exit_has_all_of_its_time_where_there_is_no_uwsgi():
    assert our.time_for_exit(5.0) == 5.0
