"""Which collectors a process has to ask, where several share a folder."""

from __future__ import annotations

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.multiprocess import MultiProcessCollector

from opentelemetry.exporter.prometheus_remote_write.prometheus_client.registries import Registries
from opentelemetry.exporter.prometheus_remote_write.prometheus_client.shared_folder import SharedFolder

MODULES = {"prometheus_client": prometheus_client}


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


def test_what_several_processes_share_is_asked_by_one_of_them_alone(folder):
    registries, other = Registries(None, {"PROMETHEUS_MULTIPROC_DIR": folder}, MODULES), SharedFolder(folder)
    assert registries.own() == []
    (collector,) = registries.shared(last=False)
    assert isinstance(collector, MultiProcessCollector)
    assert registries.shared(last=False) == [collector]
    registries.release()
    assert other.is_ours(other, last=False)
    assert registries.shared(last=False) is None


def test_the_application_may_set_the_variable_after_the_exporter_is_made(folder):
    environ = {}
    registries = Registries(None, environ, MODULES)
    environ["prometheus_multiproc_dir"] = folder
    assert registries.own() == []
    assert registries.shared(last=False)
    registries.release()


def test_without_the_library_nobody_takes_the_folder(folder):
    registries = Registries(None, {"PROMETHEUS_MULTIPROC_DIR": folder}, {})
    assert registries.own() == []
    assert registries.shared(last=False) is None
    other = SharedFolder(folder)
    assert other.is_ours(other, last=False)


def test_of_a_registry_in_code_what_several_processes_share_is_asked_by_one_of_them_alone(folder):
    registry = CollectorRegistry()
    shared = MultiProcessCollector(registry, folder)
    own = Gauge("level", "Level", registry=registry)
    first, other = Registries((registry,), {}, MODULES), SharedFolder(folder)
    assert first.own() == [own]
    assert first.shared(last=False) == [shared]
    assert not other.is_ours(other, last=False)
    first.release()
    assert other.is_ours(other, last=False)
    assert first.own() == [own]
    assert first.shared(last=False) is None
