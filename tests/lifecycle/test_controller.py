"""What our controller does better than the SDK's reader."""

from __future__ import annotations

import threading
import time

from opentelemetry.sdk.metrics import MeterProvider

from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.lifecycle.exit_time import ExitTime
from tests.lifecycle.pushing import HOUR, LONG


class TestFirstInterval:
    def test_it_ends_at_a_random_moment(self, exporter, provide):
        provide(controller := Controller(exporter, HOUR, random=lambda: 0.0)).get_meter("x").create_counter("c").add(1)
        assert exporter.exported.wait(LONG)
        assert controller._export_interval_millis == HOUR

    def test_it_is_the_share_of_the_interval_that_chance_says(self, exporter, provide):
        waits = []

        class Patient(threading.Event):
            def wait(self, timeout=None):
                waits.append(timeout)
                return super().wait(timeout)

        class Watched(Controller):
            def _ticker(self):
                self._shutdown_event = Patient()
                began.set()
                super()._ticker()

        began = threading.Event()
        controller = Watched(exporter, HOUR, random=lambda: 0.25)
        assert began.wait(LONG)
        provide(controller).shutdown()
        assert waits[0] == HOUR / 1000 / 4

    def test_chance_is_uniform_unless_somebody_says_otherwise(self):
        chance = Controller.__init__.__kwdefaults__["random"]
        assert len({round(chance() * 60) for _ in range(200)}) > 30

    def test_a_shutdown_within_it_exports_once(self, exporter, provide):
        provider = provide(Controller(exporter, HOUR, random=lambda: 1.0))
        provider.get_meter("x").create_counter("c").add(1)
        provider.shutdown()
        assert len(exporter.exports) == 1


class TestShutdown:
    def test_an_export_that_hangs_does_not_hold_it_up(self, exporter):
        provider = MeterProvider([Controller(exporter, HOUR, random=lambda: 0.0)], shutdown_on_exit=False)
        exporter.may_end.clear()
        provider.get_meter("x").create_counter("c").add(1)
        assert exporter.exported.wait(LONG)
        began = time.monotonic()
        provider.shutdown()
        assert time.monotonic() - began < 20  # of the 30 that the SDK waits

    def test_the_export_under_way_is_given_half_of_the_time(self, exporter, provide):
        provide(Controller(exporter, HOUR)).shutdown()
        (seconds,) = exporter.cut
        assert 0 < seconds <= 0.2 / 2

    def test_what_is_imported_for_it_is_of_the_time_at_the_exit(self, exporter, provide):
        now = [0.0]
        exporter.exit_time = ExitTime(5, clock=lambda: now[0])
        exporter.prepare_for_exit = lambda: now.append(now.pop() + 3)
        provide(Controller(exporter, HOUR)).shutdown()
        assert exporter.exit_time.left == 5 - 3

    def test_a_shorter_time_of_the_caller_holds(self, exporter, provide):
        provide(Controller(exporter, HOUR)).shutdown(timeout_millis=1)
        assert exporter.cut[0] <= 0.0005
