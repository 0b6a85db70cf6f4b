"""The private parts of the SDK's readers and providers: only this file touches them.

Each access is guarded: if a later SDK has changed, only what depends on that part is lost.
``tests/lifecycle/test_sdk_internals.py`` fails then. :class:`HookedReader` gives the reader's private hooks public
names. What has to be repaired is in opentelemetry-sdk 1.45:

- ``PeriodicExportingMetricReader._at_fork_reinit`` starts a new thread in the child, but keeps ``_export_lock`` and
  ``_shutdown_event``. If an export was in progress at the fork, the lock stays held forever, and the child never
  exports and waits at its end.
- ``SynchronousMeasurementConsumer`` keeps ``_lock`` and its storages with all their locks, one of which a thread of
  the parent may hold; and the child starts with what the parent had counted, and reports it a second time.
- ``MeterProvider._handle_fork``, from 1.44 on, puts a new ``service.instance.id`` into the resource, which loses the
  one that was there.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import nullcontext, suppress
from threading import Event, Lock
from typing import Any

from opentelemetry.metrics import Asynchronous
from opentelemetry.metrics import MeterProvider as AnyMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, Resource

_ONLY_AT_THE_END = 2**31 - 1  # milliseconds: an interval so long is none

_COLLECTION_TIMEOUT = 30_000.0  # milliseconds; the specification's


class HookedReader(PeriodicExportingMetricReader):
    """The SDK's periodic reader, with public names for the private methods and attributes that a subclass needs.

    The constructor starts the thread, so a subclass sets its attributes before it calls this one.

    Args:
        exporter: A ``MetricExporter``.
        interval_millis: Milliseconds between two collections.
    """

    def __init__(self, exporter: Any, interval_millis: float) -> None:
        # The SDK's constructor sets these itself; under other names in a later SDK, they still exist for us.
        self._exporter, self._shutdown, self._shutdown_event = exporter, False, Event()
        self._export_interval_millis, self._export_timeout_millis = interval_millis, _COLLECTION_TIMEOUT
        super().__init__(exporter, export_interval_millis=interval_millis)

    @property
    def exporter(self) -> Any:
        """What it exports by."""
        return self._exporter

    @property
    def interval_millis(self) -> float:
        """Milliseconds between two collections."""
        return self._export_interval_millis

    @property
    def collection_timeout_millis(self) -> float:
        """Milliseconds that a collection may take."""
        return self._export_timeout_millis

    @property
    def was_shut_down(self) -> bool:
        """Whether :meth:`shutdown` has been called."""
        return self._shutdown

    @abstractmethod
    def tick(self) -> None:
        """Collect again and again until the reader is shut down; the reader's thread calls it."""

    @abstractmethod
    def on_fork(self) -> None:
        """Start a thread in a forked child, now or later; the SDK's fork handler calls it."""

    @abstractmethod
    def on_meter_provider(self, meter_provider: AnyMeterProvider) -> None:
        """Note which provider the reader serves, for metrics about it; SDKs before 1.45 never call it."""

    def start_thread(self) -> None:
        """Start the thread of a forked child, or of a process that could not have one at first."""
        super()._at_fork_reinit()  # type: ignore[no-untyped-call]  # the SDK's

    def wait_for_shutdown(self, seconds: float) -> bool:
        """Wait for some seconds, or until the reader is shut down; return whether it was."""
        return self._shutdown_event.wait(seconds)

    def has_provider(self) -> bool:
        """Return whether a provider has taken the reader; if unknown, assume so."""
        return getattr(self, "_collect", True) is not None

    def _ticker(self) -> None:
        self.tick()

    def _at_fork_reinit(self) -> None:
        self.on_fork()

    def _set_meter_provider(self, meter_provider: AnyMeterProvider) -> None:
        super()._set_meter_provider(meter_provider)
        self.on_meter_provider(meter_provider)


def has_counted(exporter: object) -> bool:
    """Return whether anything but observations was measured for an exporter since the fork."""
    return any(_has_counted(reader) for reader in readers_of(exporter))


def _has_counted(reader: MetricReader) -> bool:
    with suppress(Exception):
        storage = _consumer(reader)._reader_storages[reader]  # noqa: SLF001 - see the module
        instruments = tuple(storage._instrument_view_instrument_matches)  # noqa: SLF001 - see the module
        return not all(isinstance(instrument, Asynchronous) for instrument in instruments)
    return True


def readers() -> list[MetricReader]:
    """Return the readers of all providers of this process."""
    with suppress(Exception):
        return list(MeterProvider._all_metric_readers)  # noqa: SLF001 - see the module
    return []


def exporter_of(reader: MetricReader) -> object:
    """Return a reader's exporter; None if it has none."""
    return getattr(reader, "_exporter", None)


def readers_of(exporter: object) -> list[MetricReader]:
    """Return the readers of an exporter, our controllers or the SDK's own."""
    return [reader for reader in readers() if exporter_of(reader) is exporter]


def interval_of(reader: MetricReader) -> float | None:
    """Return the seconds between a reader's collections; None if it does not collect periodically."""
    milliseconds = getattr(reader, "_export_interval_millis", None)
    if not isinstance(milliseconds, int | float) or milliseconds >= _ONLY_AT_THE_END:
        return None
    return milliseconds / 1000


def thread_of(reader: MetricReader) -> object:
    """Return the thread in which a reader collects; None if it has none."""
    return getattr(reader, "_daemon_thread", None)


def is_ended(reader: Any) -> bool:
    """Return whether a reader was shut down, so that its current collection is the last."""
    with suppress(Exception):
        return bool(reader._shutdown_event.is_set())  # noqa: SLF001 - see the module
    return False


def is_ticking(reader: Any) -> bool:
    """Return whether a reader has a thread in this process, which collects once more when it is shut down."""
    with suppress(Exception):
        return bool(reader._daemon_thread.is_alive())  # noqa: SLF001 - see the module
    return False


def end(reader: Any) -> None:
    """Make a reader's thread collect once more and end, without waiting for it."""
    reader._shutdown_event.set()  # noqa: SLF001 - see the module


def wait_for_end(reader: Any, seconds: float) -> None:
    """Wait for the end of a reader's thread."""
    with suppress(Exception):
        reader._daemon_thread.join(seconds)  # noqa: SLF001 - see the module


def let_in(exporter: object) -> None:
    """Make an exporter's readers export without holding a lock: our exporter serializes exports itself.

    A log or signal handler of the application may flush metrics during an export in the same thread.
    """
    for reader in readers_of(exporter):
        with suppress(Exception):
            if not isinstance(reader._export_lock, nullcontext):  # type: ignore[attr-defined] # noqa: SLF001 - see the module
                reader._export_lock = nullcontext()  # type: ignore[attr-defined] # noqa: SLF001 - see the module


def renew_after_fork(exporter: object, *, counts_on: bool = False) -> str:
    """Make an exporter's readers work in a forked child, and count from zero.

    Called before the SDK's own handlers, which run in order of construction: an exporter exists before its reader, and
    a reader before its provider.

    Args:
        exporter: Our exporter.
        counts_on: Whether to continue the parent's counts instead.

    Returns:
        The instance id in the parent's resource; empty if unknown.
    """
    instance = ""
    for reader in readers_of(exporter):
        with suppress(Exception):
            instance = _instance_id(reader)
        with suppress(Exception):
            _renew_locks(reader)
        with suppress(Exception):
            if not counts_on:
                _forget_what_was_counted(reader)
    return instance


def _consumer(reader: MetricReader) -> Any:
    """Return the measurement consumer of a reader's provider."""
    return reader._collect.__self__  # type: ignore[union-attr] # noqa: SLF001 - see the module


def resource_of(reader: MetricReader) -> Resource | None:
    """Return the resource of a reader's provider; None if unknown."""
    with suppress(Exception):
        resource: Resource = _consumer(reader)._sdk_config.resource  # noqa: SLF001 - see the module
        return resource
    return None


def _instance_id(reader: MetricReader) -> str:
    resource = resource_of(reader)
    return str(resource.attributes.get(SERVICE_INSTANCE_ID) or "") if resource else ""


def _renew_locks(reader: Any) -> None:
    if not reader._shutdown_event.is_set():  # noqa: SLF001 - see the module
        reader._shutdown_event = Event()  # noqa: SLF001 - see the module
    reader._export_lock = Lock()  # noqa: SLF001 - see the module


def _forget_what_was_counted(reader: MetricReader) -> None:
    """Replace the reader's storage: from now on, all instruments fill the new one."""
    consumer = _consumer(reader)
    consumer._lock = Lock()  # noqa: SLF001 - see the module
    if hasattr(consumer, "add_metric_reader"):
        consumer.add_metric_reader(reader)
        return
    # opentelemetry-sdk 1.42 and earlier: the storages are in a mapping that is never changed, only replaced.
    storages = consumer._reader_storages  # noqa: SLF001 - see the module
    storage = type(storages[reader])(
        consumer._sdk_config,  # noqa: SLF001 - see the module
        reader._instrument_class_temporality,  # noqa: SLF001 - see the module
        reader._instrument_class_aggregation,  # noqa: SLF001 - see the module
    )
    consumer._reader_storages = {**storages, reader: storage}  # noqa: SLF001 - see the module
