from __future__ import annotations

import threading

from opentelemetry.exporter.prometheus_remote_write.prometheus_client.collection import Collection


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
        assert collection.collect([others[0], hanging, others[1]], 0.05) in ([1, 3], [1])
    assert hanging.asked == 1
    hanging.go_on.set()
    assert hanging.is_done.wait(60)
    while collection.collect([hanging], 60) != [2]:
        pass
    assert len([record for record in caplog.records if "Hangs did not answer" in record.getMessage()]) == 1


def test_a_collector_that_ends_its_thread_costs_its_own_families_alone(caplog):
    class Exits:
        def collect(self):
            raise SystemExit(1)

    assert Collection().collect([Exits(), Says(1)], 60) == [1]
    assert "Exits failed (SystemExit: 1)" in caplog.text
