"""What an exporter that was shut down gives back."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.collected import collected, counter


@pytest.fixture
def receiver(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Receiver() as receiver:
        yield receiver


def build_export_and_shut_down(receiver):
    exporter = PrometheusRemoteWriteMetricsExporter(receiver.url)
    provider = MeterProvider(
        [Controller(exporter, 3_600_000)], resource=Resource({"service.name": "shop", "service.instance.id": "i1"})
    )
    provider.get_meter("tests").create_counter("hits").add(1)
    provider.shutdown()


def test_six_exporters_one_after_the_other_have_the_same_instance(receiver):
    for _ in range(6):
        build_export_and_shut_down(receiver)
    assert {series.label("instance") for series in receiver.series("hits_total")} == {"i1"}
    assert receiver.rejected == []


def held():
    """Descriptors and threads of the process."""
    files = [str(path.readlink()) for path in Path("/dev/fd").iterdir() if path.exists()]
    threads = [ident for ident in sys._current_frames() if ident != threading.get_ident()]
    return len(files), len(threads), [file for file in files if "otel-prw" in file]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="this system does not list descriptors")
def test_no_descriptor_and_no_thread_of_it_is_left(receiver):
    build_export_and_shut_down(receiver)  # what is once for the process
    files, threads, _ = held()
    for _ in range(3):
        build_export_and_shut_down(receiver)
    moment = threading.Event()
    while held() > (files, threads, []):  # the receiver notices a moment later that a connection is closed
        moment.wait(0.01)


def test_no_handler_of_the_exit_or_of_a_fork_is_left(receiver, monkeypatch):
    at_exit, at_fork = [], []
    build_export_and_shut_down(receiver)  # what is once for the process
    register, unregister = atexit.register, atexit.unregister
    monkeypatch.setattr(atexit, "register", lambda function: at_exit.append(function) or register(function))
    monkeypatch.setattr(atexit, "unregister", lambda function: at_exit.remove(function) or unregister(function))
    monkeypatch.setattr(os, "register_at_fork", lambda **functions: at_fork.extend(functions.values()))
    exporter = PrometheusRemoteWriteMetricsExporter(receiver.url)
    exporter.export(collected(counter()))
    exporter.shutdown()
    assert (at_exit, at_fork) == ([], [])
