"""What the SDK keeps private: this is the only file that touches it.

Each touch is guarded: where a later SDK has changed, what rests on it is lost and nothing else.
``tests/lifecycle/test_sdk_internals.py`` fails then. What has to be repaired is in opentelemetry-sdk 1.45:

- ``PeriodicExportingMetricReader._at_fork_reinit`` starts a new thread in the child, but keeps ``_export_lock`` and
  ``_shutdown_event``. Where an export was under way at the fork, the lock stays held for ever, and the child never
  exports and waits at its end.
- ``SynchronousMeasurementConsumer`` keeps ``_lock`` and its storages with all their locks, one of which a thread of
  the parent may hold; and the child starts with what the parent had counted, and reports it a second time.
- ``MeterProvider._handle_fork``, from 1.44 on, puts a new ``service.instance.id`` into the resource, which loses the
  one that was there.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from threading import Event, Lock
from typing import Any

from opentelemetry.metrics import Asynchronous
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, Resource

_ONLY_AT_THE_END = 2**31 - 1  # milliseconds: an interval so long is none


def has_counted(exporter: object) -> bool:
    """Return whether anything has been measured for an exporter since the fork, not counting what callbacks observe."""
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
    """Return what a reader exports by; None where it does not export."""
    return getattr(reader, "_exporter", None)


def readers_of(exporter: object) -> list[MetricReader]:
    """Return the readers, our controllers or the SDK's own, that export by this exporter."""
    return [reader for reader in readers() if exporter_of(reader) is exporter]


def interval_of(reader: MetricReader) -> float | None:
    """Return the seconds between a reader's collections; None where it does not collect by itself."""
    milliseconds = getattr(reader, "_export_interval_millis", None)
    if not isinstance(milliseconds, int | float) or milliseconds >= _ONLY_AT_THE_END:
        return None
    return milliseconds / 1000


def thread_of(reader: MetricReader) -> object:
    """Return the thread in which a reader collects by itself; None where it has none."""
    return getattr(reader, "_daemon_thread", None)


def is_ended(reader: Any) -> bool:
    """Return whether a reader was shut down, so that what it exports now is its last collection."""
    with suppress(Exception):
        return bool(reader._shutdown_event.is_set())  # noqa: SLF001 - see the module
    return False


def is_ticking(reader: Any) -> bool:
    """Return whether a reader has a thread in this process that collects, and will once more when it is shut down."""
    with suppress(Exception):
        return bool(reader._daemon_thread.is_alive())  # noqa: SLF001 - see the module
    return False


def end(reader: Any) -> None:
    """Have a reader's thread collect once more and end; nothing is waited for."""
    reader._shutdown_event.set()  # noqa: SLF001 - see the module


def wait_for_end(reader: Any, seconds: float) -> None:
    """Wait for the end of a reader's thread."""
    with suppress(Exception):
        reader._daemon_thread.join(seconds)  # noqa: SLF001 - see the module


def let_in(exporter: object) -> None:
    """Have an exporter's readers hold no lock while they export: ours lets exports take turns itself.

    A handler of the application's log, or of a signal, may flush metrics within an export of the same thread.
    """
    for reader in readers_of(exporter):
        with suppress(Exception):
            if not isinstance(reader._export_lock, nullcontext):  # type: ignore[attr-defined] # noqa: SLF001 - see the module
                reader._export_lock = nullcontext()  # type: ignore[attr-defined] # noqa: SLF001 - see the module


def renew_after_fork(exporter: object, *, counts_on: bool = False) -> str:
    """Make an exporter's readers work in a forked child, and count from zero.

    To be called before the SDK's own handlers, whose order is that of construction: an exporter is there before its
    reader, and a reader before its provider.

    Args:
        exporter: Ours.
        counts_on: Whether it counts on from what the parent had counted instead.

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
            if not counts_on:
                _forget_what_was_counted(reader)
    return instance


def _consumer(reader: MetricReader) -> Any:
    """Return what takes the measurements of the reader's provider."""
    return reader._collect.__self__  # type: ignore[union-attr] # noqa: SLF001 - see the module


def resource_of(reader: MetricReader) -> Resource | None:
    """Return the resource of a reader's provider; None where it cannot be found out."""
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
    """Put a new storage in place of the reader's: instruments, also observable ones, fill it from now on."""
    consumer = _consumer(reader)
    consumer._lock = Lock()  # noqa: SLF001 - see the module
    if hasattr(consumer, "add_metric_reader"):
        consumer.add_metric_reader(reader)
        return
    # opentelemetry-sdk 1.42 and before: the storages are in a mapping that is never changed, only replaced.
    storages = consumer._reader_storages  # noqa: SLF001 - see the module
    storage = type(storages[reader])(
        consumer._sdk_config,  # noqa: SLF001 - see the module
        reader._instrument_class_temporality,  # noqa: SLF001 - see the module
        reader._instrument_class_aggregation,  # noqa: SLF001 - see the module
    )
    consumer._reader_storages = {**storages, reader: storage}  # noqa: SLF001 - see the module
