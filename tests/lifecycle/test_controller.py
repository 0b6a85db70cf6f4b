"""What the SDK's reader lacks, and that the private parts of the SDK that are touched for it are as they were."""

from __future__ import annotations

import math
import threading
import time

import pytest
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import (
    Controller,
    flush,
    pushers,
    readers_of,
    renew_after_fork,
)

HOUR = 3_600_000
LONG = 10  # seconds, which nothing takes unless something is wrong


class Exporter(MetricExporter):
    """Keeps what it is given; may be told to hang."""

    def __init__(self):
        super().__init__()
        self.shutdown_timeout = 0.2
        self.exports = []
        self.exported = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()
        self.hurried = []

    def export(self, metrics_data, timeout_millis=10_000, **_keywords):
        self.exports.append((metrics_data, timeout_millis))
        self.exported.set()
        self.may_end.wait()
        return MetricExportResult.SUCCESS

    def hurry(self, seconds):
        self.hurried.append(seconds)

    def force_flush(self, timeout_millis=10_000):  # noqa: ARG002 - the interface
        return True

    def shutdown(self, timeout_millis=30_000, **_keywords):  # noqa: ARG002 - the interface
        self.may_end.set()

    def values(self):
        """The values of the last export, by metric."""
        return {
            metric.name: [point.value for point in metric.data.data_points]
            for metrics in self.exports[-1][0].resource_metrics
            for scope in metrics.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def exporter():
    return Exporter()


@pytest.fixture
def provide():
    """Builds providers, and shuts them down."""
    providers = []

    def provide(reader):
        provider = MeterProvider([reader], Resource({"service.instance.id": "pod-7"}), shutdown_on_exit=False)
        providers.append(provider)
        return provider

    yield provide
    for provider in providers:
        provider.shutdown()


READERS = [  # without a thread: a fork leaves the parent's behind
    pytest.param(lambda exporter: Controller(exporter, math.inf), id="our controller"),
    pytest.param(lambda exporter: PeriodicExportingMetricReader(exporter, math.inf), id="the SDK's reader"),
]


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
        assert time.monotonic() - began < LONG  # of the 30 that the SDK waits

    def test_the_export_under_way_is_given_half_of_the_time(self, exporter, provide):
        provide(Controller(exporter, HOUR)).shutdown()
        (seconds,) = exporter.hurried
        assert 0 < seconds <= exporter.shutdown_timeout / 2

    def test_a_shorter_time_of_the_caller_holds(self, exporter, provide):
        provide(Controller(exporter, HOUR)).shutdown(timeout_millis=1)
        assert exporter.hurried[0] <= 0.0005


@pytest.mark.parametrize("make", READERS)
class TestAfterAFork:
    def test_locks_that_a_thread_of_the_parent_held_are_free(self, exporter, provide, make):
        provider = provide(reader := make(exporter))
        counter = provider.get_meter("x").create_counter("c")
        counter.add(1)
        storage = provider._measurement_consumer._reader_storages[reader]
        ((match,),) = storage._instrument_view_instrument_matches.values()
        (aggregation,) = match._attributes_aggregation.values()
        event = reader._shutdown_event
        for lock in (
            reader._export_lock,
            provider._measurement_consumer._lock,
            storage._lock,
            match._lock,
            aggregation._lock,
        ):
            lock.acquire()  # and nobody is left who could release it
        event._cond.acquire()
        done = threading.Event()

        def work():
            renew_after_fork(exporter)
            counter.add(2)
            reader.force_flush()
            done.set()

        threading.Thread(target=work, daemon=True).start()
        assert done.wait(LONG)
        assert exporter.values() == {"c": [2]}
        assert reader._shutdown_event is not event

    def test_it_counts_from_zero(self, exporter, provide, make):
        meter = provide(reader := make(exporter)).get_meter("x")
        counter, balance, gauge = (
            meter.create_counter("counter"),
            meter.create_up_down_counter("balance"),
            meter.create_gauge("gauge"),
        )
        meter.create_observable_counter("observed", callbacks=[lambda _: [Observation(7)]])
        counter.add(5)
        balance.add(3)
        gauge.set(1)
        reader.force_flush()
        assert exporter.values() == {"counter": [5], "balance": [3], "gauge": [1], "observed": [7]}
        renew_after_fork(exporter)
        reader.force_flush()
        assert exporter.values() == {"observed": [7]}
        counter.add(1)
        balance.add(-1)
        gauge.set(2)
        reader.force_flush()
        assert exporter.values() == {"counter": [1], "balance": [-1], "gauge": [2], "observed": [7]}

    def test_streams_begin_anew(self, exporter, provide, make):
        counter = provide(reader := make(exporter)).get_meter("x").create_counter("c")
        starts = []
        for _ in range(2):
            counter.add(1)
            reader.force_flush()
            (metrics,) = exporter.exports[-1][0].resource_metrics
            starts.append(metrics.scope_metrics[0].metrics[0].data.data_points[0].start_time_unix_nano)
            renew_after_fork(exporter)
        assert starts[0] < starts[1]

    def test_the_parents_instance_id_is_told(self, exporter, provide, make):
        provide(make(exporter))
        assert renew_after_fork(exporter) == "pod-7"

    def test_a_reader_that_was_shut_down_stays_so(self, exporter, provide, make):
        provider = provide(reader := make(exporter))
        provider.shutdown()
        renew_after_fork(exporter)
        assert reader._shutdown_event.is_set()

    def test_readers_of_others_are_left_alone(self, exporter, provide, make):
        provide(reader := make(Exporter()))
        lock = reader._export_lock
        assert renew_after_fork(exporter) == ""
        assert reader._export_lock is lock


class TestWhereTheSdkIsOtherwise:
    """Whatever is missing, the rest goes on and nothing is raised."""

    @pytest.mark.parametrize("missing", ["_export_lock", "_shutdown_event", "_collect", "_exporter"])
    def test_a_reader_without_what_is_looked_for(self, exporter, provide, missing):
        provide(reader := PeriodicExportingMetricReader(exporter, math.inf))
        held = reader.__dict__.pop(missing)
        renew_after_fork(exporter)
        flush(exporter)
        setattr(reader, missing, held)

    def test_a_provider_without_its_list_of_readers(self, exporter, monkeypatch):
        monkeypatch.delattr(MeterProvider, "_all_metric_readers")
        assert renew_after_fork(exporter) == ""
        assert readers_of(exporter) == pushers() == []
        flush(exporter)


@pytest.mark.parametrize("make", READERS)
class TestFlush:
    def test_it_exports_what_was_counted_since(self, exporter, provide, make):
        provide(make(exporter)).get_meter("x").create_counter("c").add(3)
        flush(exporter)
        assert exporter.values() == {"c": [3]}
        assert exporter.exports[-1][1] <= exporter.shutdown_timeout * 1000
        assert exporter.hurried == [exporter.shutdown_timeout / 2]

    def test_ours_are_known_among_the_exporters(self, exporter, provide, make):
        provide(make(exporter))
        assert exporter in pushers()
