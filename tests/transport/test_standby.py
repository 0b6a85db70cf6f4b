import os
import threading
from warnings import catch_warnings, simplefilter

import pytest

from opentelemetry.exporter.prometheus_remote_write.transport.standby import Standby


def test_things_are_done_one_after_the_other_in_one_thread():
    standby, done, threads = Standby(), threading.Event(), []
    standby.start()
    standby.start()
    for _ in range(3):
        standby.do(lambda: threads.append(threading.current_thread()))
    standby.do(done.set)
    assert done.wait(10)
    assert len(threads) == 3
    assert len({*threads, threading.current_thread()}) == 2


def test_what_hangs_there_holds_nobody_up():
    standby, end = Standby(), threading.Event()
    standby.start()
    standby.do(lambda: end.wait(60))
    end.set()


def test_without_the_thread_a_thing_is_done_at_once():
    done = []
    Standby().do(lambda: done.append(os.getpid()))
    assert done == [os.getpid()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_needs_a_thread_of_its_own():
    standby = Standby()
    standby.start()
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)  # of the thread, from Python 3.12 on
        child = os.fork()
    if not child:
        at_once, later = [], threading.Event()
        standby.do(lambda: at_once.append(1))
        standby.start()
        standby.do(later.set)
        os._exit(0 if at_once and later.wait(10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
