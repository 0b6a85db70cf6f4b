"""The controller: the SDK's periodic reader, jittered, bounded at its end, and whole again after a fork.

This is the only file that touches what the SDK keeps private. Each touch is guarded: where a later SDK has changed,
what is repaired here is lost and nothing else. ``tests/test_controller.py`` fails then. What has to be repaired is in
opentelemetry-sdk 1.45:

- ``PeriodicExportingMetricReader._at_fork_reinit`` starts a new thread in the child, but keeps ``_export_lock`` and
  ``_shutdown_event``. Where an export was under way at the fork, the lock stays held for ever, and the child never
  exports and waits at its end.
- ``SynchronousMeasurementConsumer`` keeps ``_lock`` and its storages with all their locks, one of which a thread of
  the parent may hold; and the child starts with what the parent had counted, and reports it a second time.
- ``MeterProvider._handle_fork`` puts a new ``service.instance.id`` into the resource, which loses the one that was
  there.
- ``PeriodicExportingMetricReader._ticker`` waits a whole interval first, so that workers that start together push
  together.
- ``PeriodicExportingMetricReader.shutdown`` waits up to 30 seconds for an export that is under way.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock
from typing import Any, Protocol, runtime_checkable

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID

_logger = logging.getLogger(__name__)

_UNTIL_THERE_IS_A_PROVIDER = 0.01  # seconds; it is made right after its reader


@runtime_checkable
class Pusher(Protocol):
    """What the controller needs of our exporter beside what the SDK does."""

    @property
    def shutdown_timeout(self) -> float:
        """How long the end of the process may take because of it, in seconds."""

    def hurry(self, seconds: float) -> None:
        """End the export that is under way within so many seconds."""

    def shutdown(self, timeout_millis: float) -> None:
        """Say of every series that it has ended, where that is wanted, and export no more."""


class Controller(PeriodicExportingMetricReader):
    """Collects and exports once in an interval, the first time at a random moment within the first one.

    Args:
        exporter: Ours: a ``MetricExporter`` that is a :class:`Pusher`, too.
        export_interval_millis: Milliseconds.
        random: A number from 0 to 1.
    """

    def __init__(
        self,
        exporter: Any,
        export_interval_millis: float,
        *,
        random: Callable[[], float] = random.random,
    ) -> None:
        # First: the SDK's constructor starts the thread.
        self._pusher: Pusher = exporter
        self._random = random
        super().__init__(exporter, export_interval_millis=export_interval_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Collect and export once more, and end; at most for the exporter's ``shutdown_timeout``."""
        end = time.monotonic() + timeout_millis / 1000
        end = min(end, time.monotonic() + self._pusher.shutdown_timeout)
        self._pusher.hurry(max(end - time.monotonic(), 0.0) / 2)
        super().shutdown(timeout_millis=max(end - time.monotonic(), 0.0) * 1000, **kwargs)

    def _ticker(self) -> None:
        try:
            wait = self._random() * self._export_interval_millis / 1000
            while not self._shutdown_event.wait(wait):
                if self._collect is not None:
                    self.collect(timeout_millis=self._export_timeout_millis)
                    break
                wait = _UNTIL_THERE_IS_A_PROVIDER
        except Exception as error:  # noqa: BLE001 - as the SDK's own loop, which goes on
            _logger.warning("Metrics were not collected: %s", type(error).__name__)
        super()._ticker()


def readers_of(exporter: object) -> list[MetricReader]:
    """The SDK's readers, our controllers or others, that export by this exporter."""
    return [reader for reader in _readers() if getattr(reader, "_exporter", None) is exporter]


def pushers() -> list[Pusher]:
    """The exporters of ours that readers of this process export by."""
    exporters = {getattr(reader, "_exporter", None) for reader in _readers()}
    return [exporter for exporter in exporters if isinstance(exporter, Pusher)]


def renew_after_fork(exporter: object) -> str:
    """Make an exporter's readers work in a forked child, and count from zero.

    To be called before the SDK's own handlers, whose order is that of construction: an exporter is there before its
    reader, and a reader before its provider.

    Returns:
        The instance id in the parent's resource, or nothing if that cannot be found out.
    """
    instance = ""
    for reader in readers_of(exporter):
        with suppress(Exception):
            instance = _instance_id(reader)
        with suppress(Exception):
            _renew_locks(reader)
        with suppress(Exception):
            _forget_what_was_counted(reader)
    return instance


def flush(exporter: Pusher) -> None:
    """Collect and export once more, and end the exporter, for the process ends; nothing is raised.

    All within the exporter's ``shutdown_timeout``.
    """
    end = time.monotonic() + exporter.shutdown_timeout
    with suppress(Exception):
        exporter.hurry(exporter.shutdown_timeout / 2)
    for reader in readers_of(exporter):
        with suppress(Exception):
            reader.force_flush(timeout_millis=max(end - time.monotonic(), 0.0) * 1000)
    with suppress(Exception):
        exporter.shutdown(timeout_millis=max(end - time.monotonic(), 0.0) * 1000)


def _readers() -> list[MetricReader]:
    with suppress(Exception):
        return list(MeterProvider._all_metric_readers)  # noqa: SLF001 - see the module
    return []


def _consumer(reader: MetricReader) -> Any:
    """What takes the measurements of the reader's provider."""
    return reader._collect.__self__  # type: ignore[union-attr] # noqa: SLF001 - see the module


def _instance_id(reader: MetricReader) -> str:
    resource = _consumer(reader)._sdk_config.resource  # noqa: SLF001 - see the module
    return str(resource.attributes.get(SERVICE_INSTANCE_ID) or "")


def _renew_locks(reader: Any) -> None:
    if not reader._shutdown_event.is_set():  # noqa: SLF001 - see the module
        reader._shutdown_event = Event()  # noqa: SLF001 - see the module
    reader._export_lock = Lock()  # noqa: SLF001 - see the module


def _forget_what_was_counted(reader: MetricReader) -> None:
    """A new storage in place of the reader's: instruments, also observable ones, fill it from now on."""
    consumer = _consumer(reader)
    consumer._lock = Lock()  # noqa: SLF001 - see the module
    consumer.add_metric_reader(reader)
