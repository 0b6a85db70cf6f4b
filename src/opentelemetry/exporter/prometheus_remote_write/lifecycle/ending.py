"""The end of a process that skips the interpreter's exit: its last counts are exported first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Protocol, runtime_checkable

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader

from ..system.bounded_call import bounded_call
from .exit_time import ExitTime
from .sdk_internals import end as end_reader
from .sdk_internals import exporter_of, is_ended, is_ticking, readers, readers_of, wait_for_end


@runtime_checkable
class Pusher(Protocol):
    """What lifecycle needs from our exporter besides the SDK's interface."""

    @property
    def exit_time(self) -> ExitTime:
        """How much time it may still add to the end of the process."""

    @property
    def flushes_before_os_exit(self) -> bool:
        """Whether to export if the process ends itself now, by ``os._exit`` or a signal."""

    def cut_short(self, seconds: float) -> None:
        """End the export in progress within some seconds."""

    def set_meter_provider(self, meter_provider: MeterProvider) -> None:
        """Report on it by a provider's meters."""

    def prepare(self, pause: Callable[[float], bool]) -> None:
        """Import what exports need, in small steps, until a pause returns that time is up."""

    def prepare_for_exit(self) -> None:
        """Import at once what the last export needs."""

    def shutdown(self, timeout_millis: float) -> None:
        """Mark every series as stale, if that is enabled, and export no more."""


def pushers() -> list[Pusher]:
    """Return our exporters that this process's readers use."""
    exporters = {exporter_of(reader) for reader in readers()}
    return [exporter for exporter in exporters if isinstance(exporter, Pusher)]


def flush(exporter: Pusher) -> None:
    """Collect and export once more and shut the exporter down, because the process ends; raise nothing.

    All of it within what is left of the exporter's exit time. If that is in progress already, wait for it.
    """
    here = threading.get_ident()
    _flushing.append(here)
    try:
        exporter.exit_time.begin()
        end = time.monotonic() + exporter.exit_time.left
        for reader in readers_of(exporter):
            with suppress(Exception):
                _end(reader, exporter, end)
        with suppress(Exception):
            exporter.shutdown(timeout_millis=_milliseconds_until(end))
    finally:
        _flushing.remove(here)


def export_and_go_on(exporters: Iterable[Pusher]) -> None:
    """Collect and export within the exit time before the process may end; raise nothing.

    In another thread: a signal handler may call this while its thread holds a lock that a collection needs.
    """
    for exporter in exporters:
        with suppress(Exception):
            bounded_call(("export and go on", exporter), partial(_export, exporter), exporter.exit_time.left)


def flush_all() -> None:
    """Flush every exporter of this process; raise nothing."""
    for exporter in pushers():
        flush(exporter)


def seconds_left() -> float:
    """Return how many seconds the exporters of this process may still add to its end."""
    return max((exporter.exit_time.left for exporter in pushers()), default=0.0)


def flushes_here() -> bool:
    """Return whether this thread was interrupted in a flush, which can only end if the thread continues."""
    return threading.get_ident() in _flushing


_flushing: list[int] = []


def _export(exporter: Pusher) -> None:
    end = time.monotonic() + exporter.exit_time.left
    exporter.cut_short(exporter.exit_time.left / 2)
    for reader in readers_of(exporter):
        with suppress(Exception):
            reader.force_flush(timeout_millis=_milliseconds_until(end))


def _end(reader: MetricReader, exporter: Pusher, end: float) -> None:
    if not is_ticking(reader):
        exporter.cut_short(_milliseconds_until(end) / 1000 / 2)
        reader.force_flush(timeout_millis=_milliseconds_until(end))
    elif is_ended(reader):
        wait_for_end(reader, _milliseconds_until(end) / 1000)
    else:
        # In this order: what its thread collects from now on is the last export, which is not cut short.
        end_reader(reader)
        exporter.cut_short(_milliseconds_until(end) / 1000 / 2)
        wait_for_end(reader, _milliseconds_until(end) / 1000)


def _milliseconds_until(end: float) -> float:
    return max(end - time.monotonic(), 0.0) * 1000
