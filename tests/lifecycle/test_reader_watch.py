"""What stops the SDK's own reader is said."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.lifecycle.reader_watch import ReaderWatch
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver


def said(caplog):
    """What the watch has said; older SDKs warn of a collection before there is a provider."""
    return [record for record in caplog.records if record.message.startswith("No metrics are exported")]


class Application:
    """Has a callback that is asked by a reader, and does what is told to it."""

    def __init__(self, kind, receiver):
        self.receiver = receiver
        self.exporter = PrometheusRemoteWriteMetricsExporter(receiver.url)
        self.reader = kind(self.exporter, 50)
        self.provider = MeterProvider([self.reader], shutdown_on_exit=False)
        self.act = lambda: None
        self.acts, self.go = threading.Event(), threading.Event()
        self.watch = ReaderWatch(self.exporter)
        self.provider.get_meter("tests").create_observable_gauge("queue", [self.observe])

    def observe(self, _options):
        try:
            self.act()
        except BaseException:
            self.acts.set()
            raise
        yield Observation(1)

    def hang(self):
        self.acts.set()
        self.go.wait(60)


@pytest.fixture
def start():
    running = []
    with Receiver() as receiver:

        def start(kind):
            running.append(Application(kind, receiver))
            receiver.wait_for(lambda receiver: len(receiver.received) > 1)
            return running[-1]

        yield start
        for application in running:
            application.go.set()
            application.provider.shutdown()


def test_a_callback_that_does_not_return_is_named_after_three_looks_and_once(start, caplog):
    application = start(PeriodicExportingMetricReader)
    for _ in range(5):
        application.watch.look()
        exported = application.exporter.times_asked
        application.receiver.wait_for(lambda _, exported=exported: application.exporter.times_asked > exported)
    assert not said(caplog)
    application.act = application.hang
    assert application.acts.wait(60)
    for _ in range(3):
        application.watch.look()
    application.watch.look()
    (record,) = said(caplog)
    assert record.message.startswith("No metrics are exported: a collection has not finished for 3 intervals")
    assert "test_reader_watch.py" in record.message
    assert "in hang" in record.message


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_a_callback_that_ends_the_thread_is_told_once(start, caplog, error):
    application = start(PeriodicExportingMetricReader)

    def fail():
        raise error

    application.act = fail
    application.reader._daemon_thread.join(60)
    for _ in range(4):
        application.watch.look()
    (record,) = said(caplog)
    assert record.message.startswith("No metrics are exported: the thread of the SDK's reader has ended")


def test_a_reader_that_was_shut_down_is_not_missed(start, caplog):
    application = start(PeriodicExportingMetricReader)
    application.provider.shutdown()
    application.watch.look()
    assert not said(caplog)


def test_our_controller_watches_itself(start, caplog):
    application = start(Controller)
    application.act = application.hang
    assert application.acts.wait(60)
    for _ in range(4):
        application.watch.look()
    assert not said(caplog)


def test_an_export_begins_the_watch_of_the_sdks_reader(start, caplog):
    application = start(PeriodicExportingMetricReader)
    application.act = application.hang
    assert application.acts.wait(60)
    deadline = threading.Event()
    while not said(caplog):
        assert not deadline.wait(0.05)
    assert "in hang" in said(caplog)[0].message
