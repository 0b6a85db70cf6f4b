"""Two exporters in one process: what each was given arrives, and is not taken for the other's."""

from __future__ import annotations

import gc
import math

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver


@pytest.fixture
def receiver(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Receiver() as receiver:
        yield receiver


def provider(receiver, **attributes):
    reader = Controller(PrometheusRemoteWriteMetricsExporter(receiver.url), math.inf)
    return MeterProvider([reader], resource=Resource.create(attributes), shutdown_on_exit=False)


def count(provider, amount):
    provider.get_meter("tests").create_counter("hits").add(amount)
    provider.force_flush()


@pytest.mark.parametrize("pinned", [{}, {"service.instance.id": "pod-7"}], ids=["its own id", "a given id"])
def test_of_one_job_each_has_an_instance_of_its_own(receiver, pinned):
    first, second = (provider(receiver, **{"service.name": "shop"}, **pinned) for _ in range(2))
    for amount in (1, 2):
        count(first, amount)
        count(second, 10 * amount)
    values = [series.samples[-1].value for series in receiver.series("hits_total")]
    assert sorted(values) == [3, 30]
    assert receiver.rejected == []
    names = sorted({series.label("instance") for series in receiver.series("hits_total")})
    assert names[1] == f"{names[0]}-1"
    for each in (first, second):
        each.shutdown()


def test_of_two_jobs_neither_has_a_number(receiver):
    providers = [provider(receiver, **{"service.name": name}) for name in ("shop", "cart")]
    for each in providers:
        count(each, 1)
    assert len({series.label("instance") for series in receiver.series("hits_total")}) == 1
    for each in providers:
        each.shutdown()


def test_the_id_of_one_that_was_shut_down_is_the_next_ones(receiver):
    for _ in range(3):
        count(each := provider(receiver, **{"service.name": "shop"}), 1)
        each.shutdown()
    assert len({series.label("instance") for series in receiver.series("hits_total")}) == 1


@pytest.mark.parametrize("pinned", [{}, {"service.instance.id": "pod-7"}], ids=["its own id", "a given id"])
@pytest.mark.parametrize("has_exported", [True, False])
def test_one_that_outlives_another_keeps_its_id(receiver, pinned, has_exported):
    first, second = (provider(receiver, **{"service.name": "shop"}, **pinned) for _ in range(2))
    count(first, 5)
    second.get_meter("tests").create_counter("hits").add(1)
    if has_exported:
        second.force_flush()
    first.shutdown()
    for _ in range(2):
        count(second, 1)
    second.shutdown()
    totals = {series.label("instance"): series.samples[-1].value for series in receiver.series("hits_total")}
    assert sorted(totals.values()) == [3, 5]
    assert sorted(totals, key=len)[1] == f"{min(totals, key=len)}-1"


def test_one_that_outlives_another_that_nobody_shut_down_keeps_its_id(receiver):
    first, second = (provider(receiver, **{"service.name": "shop"}) for _ in range(2))
    count(first, 5)
    count(second, 1)
    del first
    gc.collect()
    count(second, 1)
    second.shutdown()
    assert sorted(series.samples[-1].value for series in receiver.series("hits_total")) == [2, 5]
