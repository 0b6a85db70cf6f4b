"""A flag that threads wait for, and that nothing leaves locked."""

from __future__ import annotations

import threading

import pytest

from opentelemetry.exporter.prometheus_remote_write.system.flag import Flag

LONG = 10  # seconds, which nothing takes unless something is wrong


def test_who_waits_is_woken():
    flag, waiting, woken = Flag(), threading.Semaphore(0), []

    def wait():
        waiting.release()
        woken.append(flag.wait(LONG))

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
        assert waiting.acquire(timeout=LONG)
    flag.set()
    for thread in threads:
        thread.join(LONG)
    assert woken == [True] * 3


@pytest.mark.parametrize("timeout", [0, -1, 0.001])
def test_a_wait_ends_with_its_time(timeout):
    assert Flag().wait(timeout) is False


def test_where_it_is_set_nobody_waits():
    flag = Flag()
    flag.set()
    flag.set()
    assert flag.is_set()
    assert flag.wait()
    assert flag.wait(float("inf"))
    flag.clear()
    assert not flag.wait(0)


def test_who_was_interrupted_while_waiting_is_forgotten():
    class Interrupted(Exception):
        pass

    class Interrupting:
        """The system, at the moment when a signal handler raises."""

        def acquire(self, timeout=-1):
            if timeout != -1:
                raise Interrupted
            return True

    flag = Flag()
    locks, threading.Lock = threading.Lock, Interrupting
    try:
        with pytest.raises(Interrupted):
            flag.wait(LONG)
    finally:
        threading.Lock = locks
    flag.set()
    assert flag.wait(LONG)
