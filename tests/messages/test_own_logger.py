"""What we say is heard, however an application configures logging, unless it is silenced on purpose."""

from __future__ import annotations

import io
import logging
import pkgutil
import threading
from contextvars import copy_context
from importlib import import_module
from logging.config import dictConfig, fileConfig
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller
from opentelemetry.exporter.prometheus_remote_write.messages.own_logger import HeldBackRecords, OwnLogger
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.collected import collected, counter

PACKAGE = "opentelemetry.exporter.prometheus_remote_write"
OF_THE_COMMAND = {"receiver", "diagnose"}
CLOSED = "http://127.0.0.1:9/api/v1/write"
ONE_ATTEMPT = {"min_backoff": 120_000, "max_backoff": 120_000}  # longer than an export may take

# As in Flask's documentation, "Logging", "Basic Configuration".
FLASK = {
    "version": 1,
    "formatters": {"default": {"format": "[%(asctime)s] %(levelname)s in %(module)s: %(message)s"}},
    "handlers": {
        "wsgi": {
            "class": "logging.StreamHandler",
            "stream": "ext://flask.logging.wsgi_errors_stream",
            "formatter": "default",
        }
    },
    "root": {"level": "INFO", "handlers": ["wsgi"]},
}
# As in Django's documentation, "How to configure and manage logging", and the same with the default of its first key.
DJANGO = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
DJANGO_BY_DEFAULT = {key: value for key, value in DJANGO.items() if key != "disable_existing_loggers"}
# As in the documentation of logging.config, "Configuration file format".
FILE = """
[loggers]
keys=root
[handlers]
keys=hand01
[formatters]
keys=form01
[logger_root]
level=NOTSET
handlers=hand01
[handler_hand01]
class=StreamHandler
level=NOTSET
formatter=form01
args=(sys.stderr,)
[formatter_form01]
format=F1 %(asctime)s %(levelname)s %(message)s
"""


@pytest.fixture(autouse=True)
def _put_back_what_is_configured():
    root = logging.getLogger()
    before = root.level, [*root.handlers]
    loggers = {
        logger: logger.disabled for logger in logging.root.manager.loggerDict.values() if hasattr(logger, "level")
    }
    yield
    root.level, root.handlers = before
    for logger in logging.root.manager.loggerDict.values():
        if hasattr(logger, "level"):
            logger.disabled = loggers.get(logger, False)


@pytest.mark.parametrize(
    "configure",
    [
        pytest.param(lambda: dictConfig(FLASK), id="Flask's documentation"),
        pytest.param(lambda: dictConfig(DJANGO), id="Django's documentation"),
        pytest.param(lambda: dictConfig(DJANGO_BY_DEFAULT), id="Django's documentation, existing loggers disabled"),
        pytest.param(lambda: fileConfig(io.StringIO(FILE)), id="logging's documentation of files"),
    ],
)
def test_a_receiver_that_is_away_is_told(configure, capsys):
    exporter = PrometheusRemoteWriteMetricsExporter(CLOSED, max_buffered_bytes=0, **ONE_ATTEMPT)
    for _ in range(2):  # also when it is configured after the first export, and again
        configure()
        exporter.export(collected(counter()), timeout_millis=60_000)
    exporter.shutdown()
    assert CLOSED in capsys.readouterr().err


def test_a_level_that_is_set_on_purpose_holds(caplog):
    logging.getLogger(PACKAGE).setLevel(logging.ERROR)
    try:
        OwnLogger(f"{PACKAGE}.delivery").warning("not to be heard")
        OwnLogger(f"{PACKAGE}.delivery").error("to be heard")
    finally:
        logging.getLogger(PACKAGE).setLevel(logging.NOTSET)
    assert caplog.messages == ["to be heard"]


def test_a_handler_that_raises_does_not_reach_who_logs():
    handler = Recording()
    logging.getLogger(PACKAGE).addHandler(handler)
    try:
        OwnLogger(PACKAGE).warning("something")
    finally:
        logging.getLogger(PACKAGE).removeHandler(handler)
    assert handler.said == ["something"]


def test_a_record_names_the_line_that_logs(caplog):
    OwnLogger(PACKAGE).warning("something %d", 7)
    (record,) = caplog.records
    assert (record.filename, record.funcName) == (Path(__file__).name, "test_a_record_names_the_line_that_logs")


def test_every_module_of_the_exporter_logs_by_our_own_logger():
    loggers = {
        module.name: value
        for module in pkgutil.walk_packages(import_module(PACKAGE).__path__, f"{PACKAGE}.")
        if not OF_THE_COMMAND & {*module.name.split(".")}
        for value in vars(import_module(module.name)).values()
        if isinstance(value, logging.Logger | OwnLogger)
    }
    assert f"{PACKAGE}.delivery.log" in loggers
    assert [name for name, logger in loggers.items() if not isinstance(logger, OwnLogger)] == []


class Recording(logging.Handler):
    """Keeps what is said, and raises then."""

    def __init__(self):
        super().__init__()
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())
        raise KeyError


class Leaving(Recording):
    """Keeps what is said, and raises then what ends a process or a thread."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def emit(self, record):
        self.said.append(record.getMessage())
        raise self.error


class Flushing(logging.Handler):
    """Exports whenever something is logged, as one that counts log lines may do."""

    def __init__(self, flush):
        super().__init__()
        self.said = []
        self.flush = flush

    def emit(self, record):
        self.said.append(record.getMessage())
        if len(self.said) == 1:
            self.flush()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), BaseException()], ids=repr)
def test_whatever_a_handler_raises_a_provider_is_shut_down(error):
    exporter = PrometheusRemoteWriteMetricsExporter(CLOSED, max_buffered_bytes=0, **ONE_ATTEMPT)
    reader = Controller(exporter, 3_600_000)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("tests").create_counter("orders").add(1)
    handler = Leaving(error)
    logging.getLogger(PACKAGE).addHandler(handler)
    try:
        provider.force_flush(timeout_millis=60_000)
        provider.shutdown()
    finally:
        logging.getLogger(PACKAGE).removeHandler(handler)
    assert any(CLOSED in line for line in handler.said)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), BaseException()], ids=repr)
def test_whatever_a_handler_raises_exports_go_on(error):
    handler = Leaving(error)
    logging.getLogger(PACKAGE).addHandler(handler)
    seen = threading.Semaphore(0)
    with Receiver(answers=lambda _: seen.release() or ScriptedAnswer(403)) as receiver:
        exporter = PrometheusRemoteWriteMetricsExporter(receiver.url)
        provider = MeterProvider([Controller(exporter, 20)], shutdown_on_exit=False)
        provider.get_meter("tests").create_counter("orders").add(1)
        try:
            assert all(seen.acquire(timeout=60) for _ in range(4))
            provider.shutdown()
        finally:
            logging.getLogger(PACKAGE).removeHandler(handler)
    assert handler.said


def test_a_handler_may_export_what_the_application_logs():
    exporter = PrometheusRemoteWriteMetricsExporter(CLOSED, max_buffered_bytes=0)
    handler = Flushing(lambda: exporter.export(collected(counter()), timeout_millis=200))
    logging.getLogger().addHandler(handler)
    try:
        logging.getLogger("shop").warning("no such order")
    finally:
        logging.getLogger().removeHandler(handler)
    exporter.shutdown()
    assert handler.said[0] == "no such order"


def test_a_lock_of_the_application_that_a_handler_needs_holds_nothing_up_for_ever():
    lock = threading.Lock()
    handler = Flushing(lambda: lock.acquire() and lock.release())
    logging.getLogger(PACKAGE).addHandler(handler)
    exporter = PrometheusRemoteWriteMetricsExporter(CLOSED, max_buffered_bytes=0)
    try:
        with lock:
            exporter.export(collected(counter()), timeout_millis=200)
        exporter.shutdown()
    finally:
        logging.getLogger(PACKAGE).removeHandler(handler)
    assert handler.said


@pytest.fixture
def handler():
    logger = logging.getLogger("tests.of.the.log")
    logger.addHandler(handler := Recording())
    yield handler
    logger.removeHandler(handler)


def test_what_is_held_back_is_said_afterwards_in_order_whatever_a_handler_raises(handler):
    logger, outbox = OwnLogger("tests.of.the.log"), HeldBackRecords()
    with outbox.held_back():
        logger.warning("first")
        copy_context().run(logger.warning, "second")  # as in the threads that send requests
        assert handler.said == []
    outbox.emit()
    logger.warning("third")
    assert handler.said == ["first", "second", "third"]


class _Refuses(logging.Logger):
    def isEnabledFor(self, level):  # noqa: N802, ARG002 - the standard library's
        raise RuntimeError("no")

    handle = log = isEnabledFor


class _IsNotMade(logging.Logger):
    def __init__(self, *_):
        raise RuntimeError("no")


@pytest.mark.parametrize("kind", [_Refuses, _IsNotMade])
def test_a_logger_of_the_application_that_raises_costs_only_the_line(kind):
    before = logging.getLoggerClass()
    logging.setLoggerClass(kind)
    try:
        logger = OwnLogger(f"{PACKAGE}.{kind.__name__}")
        logger.warning("said")
        assert not logger.is_enabled_for(logging.DEBUG)
    finally:
        logging.setLoggerClass(before)
