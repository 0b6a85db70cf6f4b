"""The private parts of the SDK that are touched are as they were, and where they are not nothing is raised."""

from __future__ import annotations

import math
import threading

import pytest
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from opentelemetry.exporter.prometheus_remote_write.lifecycle.ending import flush, pushers
from opentelemetry.exporter.prometheus_remote_write.lifecycle.sdk_internals import (
    is_ended,
    readers_of,
    renew_after_fork,
)
from tests.lifecycle.pushing import LONG, READERS, Exporter


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
def test_a_reader_has_ended_when_it_was_shut_down(exporter, make):
    provider = MeterProvider([reader := make(exporter)], shutdown_on_exit=False)
    assert not is_ended(reader)
    provider.shutdown()
    assert is_ended(reader)
