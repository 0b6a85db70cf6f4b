"""When an application has started: some time after the last import of its threads."""

from __future__ import annotations

import importlib
import sys
import threading

import pytest

from opentelemetry.exporter.prometheus_remote_write.lifecycle.application_start import ApplicationStart, others_import


class Clock:
    """Seconds that go by only in pauses; may be told to end one."""

    def __init__(self):
        self.now = 100.0
        self.ends = False

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.now += seconds
        return self.ends


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def importing(tmp_path, monkeypatch):
    """Another thread in the middle of an import, until the returned event is set."""
    (tmp_path / "slow_to_import.py").write_text("import gate\ngate.arrived.set()\ngate.go.wait(60)\n")
    gate = type(sys)("gate")
    gate.arrived, gate.go = threading.Event(), threading.Event()
    monkeypatch.setitem(sys.modules, "gate", gate)
    monkeypatch.syspath_prepend(tmp_path)
    thread = threading.Thread(target=importlib.import_module, args=("slow_to_import",))
    thread.start()
    assert gate.arrived.wait(60)
    yield gate.go
    gate.go.set()
    thread.join(60)
    sys.modules.pop("slow_to_import", None)


def test_it_has_started_a_second_after_nothing_was_imported(clock):
    assert ApplicationStart(clock).wait(clock.pause)
    assert 1 <= clock.now - 100 < 1.2


@pytest.mark.usefixtures("importing")
def test_while_another_thread_imports_it_is_starting_for_ten_seconds_at_most():
    clock = Clock()
    assert others_import()
    assert ApplicationStart(clock).wait(clock.pause)
    assert 10 <= clock.now - 100 < 10.2


def test_an_import_of_its_own_does_not_count():
    assert not others_import()


def test_who_ends_the_pause_is_not_held_up(clock):
    clock.ends = True
    assert not ApplicationStart(clock).wait(clock.pause)
    assert clock.now - 100 < 0.2
