from __future__ import annotations

import _thread
import sys
import threading
from itertools import chain, repeat
from types import SimpleNamespace

from opentelemetry.sdk.metrics.export import MetricsData
from prometheus_client import CollectorRegistry

from opentelemetry.exporter.prometheus_remote_write.prometheus_client.collection import Collection
from opentelemetry.exporter.prometheus_remote_write.prometheus_client.registries import Registries
from opentelemetry.exporter.prometheus_remote_write.prometheus_client.source import Source


class Says:
    def __init__(self, *families):
        self.families = families
        self.asked = 0

    def collect(self):
        self.asked += 1
        return self.families


class Hangs(Says):
    def __init__(self, *families):
        super().__init__(*families)
        self.go_on = threading.Event()
        self.is_done = threading.Event()

    def collect(self):
        super().collect()
        self.go_on.wait(60)
        self.is_done.set()
        return self.families


def test_families_come_in_the_order_of_the_collectors():
    assert Collection().collect([Says(1, 2), Says(), Says(3)], 60) == [1, 2, 3]


def test_a_collector_that_hangs_is_left_out_until_it_answers(caplog):
    hanging, others = Hangs(2), [Says(1), Says(3)]
    collection = Collection()
    for _ in range(2):
        assert collection.collect([others[0], hanging, others[1]], 0.1) in ([1, 3], [1], [])
    assert hanging.asked == 1
    hanging.go_on.set()
    assert hanging.is_done.wait(60)
    while collection.collect([hanging], 60) != [2]:
        pass
    assert len([record for record in caplog.records if "Hangs did not answer" in record.getMessage()]) == 1


def test_a_collector_that_is_slow_has_all_of_the_time_and_holds_up_no_others():
    slow = Hangs(2)

    class GoesOn(Says):
        def collect(self):
            slow.go_on.set()
            return super().collect()

    # The first wait, for half of what is left, ends after a moment; then the clock gives time again.
    times = chain([0, 59.9], repeat(0))
    assert Collection(lambda: next(times)).collect([slow, GoesOn(3)], 60) == [2, 3]


def test_a_collector_that_ends_its_thread_costs_its_own_families_alone(caplog):
    class Exits:
        def collect(self):
            raise SystemExit(1)

    assert Collection().collect([Exits(), Says(1)], 60) == [1]
    assert "Exits failed (SystemExit: 1)" in caplog.text


def test_those_that_were_not_reached_are_not_blamed_for_one_that_hangs(caplog):
    hanging, others = Hangs(0), [Says(1), Says(2), Says(3)]
    collection = Collection()
    before = threading.active_count()
    collection.collect([hanging, *others], 0.1)
    assert threading.active_count() <= before + 1
    assert collection.collect([hanging, *others], 60) == [1, 2, 3]
    hanging.go_on.set()
    assert [record.getMessage() for record in caplog.records if "Says did not" in record.getMessage()] == []


def test_where_no_thread_can_be_had_the_collectors_are_asked_the_next_time(monkeypatch):
    def no_thread(*_):
        raise MemoryError

    collection, collectors = Collection(), [Says(1), Says(2)]
    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", no_thread)
        assert collection.collect(collectors, 60) == []
    assert collection.collect(collectors, 60) == [1, 2]


def test_a_collector_without_an_end_is_left(caplog):
    class Endless(Says):
        def collect(self):
            while True:
                yield 2

    assert Collection().collect([Says(1), Endless(), Says(3)], 60) == [1, 3]
    assert "Endless failed (OverflowError: it returns more than 100000 families)" in caplog.text


def test_a_collection_that_is_interrupted_blames_nobody(caplog):
    collection, hanging = Collection(), Hangs(2)

    class Interrupts(Says):
        def collect(self):
            collection.interrupt()
            return super().collect()

    others = [Says(1), Interrupts(3), Says(4)]
    assert collection.collect([others[0], others[1], hanging, others[2]], 60) in ([], [1], [1, 3])
    hanging.go_on.set()
    while collection.collect([others[0], hanging, others[2]], 60) != [1, 2, 4]:
        pass
    assert caplog.messages == []


def test_a_registry_whose_lock_is_held_is_asked_where_it_may_hang():
    registry = CollectorRegistry()
    with registry._lock:
        assert Registries((registry,), {}).own() == [registry]


def test_a_library_that_is_half_imported_costs_nothing_but_its_own_metrics(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "prometheus_client", SimpleNamespace())
    source = Source(setting=True)
    for _ in range(2):
        assert source.collect(MetricsData([]), "", 1.0, last=False).shared is None
    source.release()
    assert len([record for record in caplog.records if "cannot be found" in record.getMessage()]) == 1
