"""Collects what this process has to push of prometheus_client's metrics, export after export."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from opentelemetry.sdk.metrics.export import MetricsData

from ..messages.own_logger import OwnLogger
from ..messages.text import error_text
from ..model.timestamps import NANOSECONDS_PER_MILLISECOND
from .collection import Collection, Collector
from .registries import Registries

_logger = OwnLogger(__name__)

_INSTANCE_ID = "service.instance.id"
_SHARE = 0.5  # of an export's time, at most; the rest is for sending
_LONGEST = 10.0  # seconds, as Prometheus's own scrape_timeout is by default


class Part(NamedTuple):
    """What was collected under one resource.

    Args:
        families: Each a ``Metric`` of prometheus_client.
        resource: The attributes that ``job`` and ``instance`` are taken from.
        has_info: Whether ``target_info`` of this resource goes with it, because nothing else tells of it.
    """

    families: Sequence[Any]
    resource: Mapping[str, Any]
    has_info: bool = False


class Collected(NamedTuple):
    """What was collected.

    Args:
        own: Of this process alone.
        shared: What several processes share; None where another process pushes it, or there is none.
        time: Of the samples that have none of their own, in milliseconds since the epoch.
    """

    own: Part
    shared: Part | None
    time: int


class Source:
    """Collects from the registries of a process.

    Args:
        setting: Registries, or True for the default one and for what several processes share.
        clock: Nanoseconds since the epoch.
    """

    def __init__(self, setting: bool | tuple[Any, ...], clock: Callable[[], int] = time.time_ns) -> None:  # noqa: FBT001 - the setting as it is
        self._registries = Registries(None if setting is True else setting or ())
        self._collection = Collection()
        self._clock = clock
        self._has_told = False

    def collect(self, data: MetricsData, group: str, seconds: float, *, last: bool) -> Collected:
        """Collect once; nothing is raised.

        Args:
            data: The export's metrics, which have the resource.
            group: The instance id of what several processes share; nothing if none is set, then it is the folder's.
            seconds: How long the export may take.
            last: Whether this process exports for the last time.
        """
        end = time.monotonic() + min(seconds * _SHARE, _LONGEST)
        resource = data.resource_metrics[0].resource.attributes if data.resource_metrics else {}
        own = self._found(self._registries.own) or ()
        of_process = Part(self._collection.collect(own, end - time.monotonic()), resource)
        shared = self._found(partial(self._registries.shared, last=last))
        of_folder = None
        if shared is not None and self._registries.folder:
            families = self._collection.collect(shared, end - time.monotonic())
            instance = group or self._registries.folder.instance()
            of_folder = Part(families, {**resource, _INSTANCE_ID: instance}, has_info=not group)
        return Collected(of_process, of_folder, self._clock() // NANOSECONDS_PER_MILLISECOND)

    def interrupt(self) -> None:
        """End the collection that is under way with what there is."""
        self._collection.interrupt()

    def leaves_to_others(self) -> bool:
        """Return whether another process goes on with what several processes share, when this one ends."""
        return self._registries.folder is not None and self._registries.folder.has_heirs()

    def _found(self, find: Callable[[], Sequence[Collector] | None]) -> Sequence[Collector] | None:
        try:
            return find()
        except Exception as error:  # noqa: BLE001 - of a library that is half imported, or another one of its name
            if not self._has_told:
                self._has_told = True
                what = error_text(error)
                _logger.warning("prometheus_client: its collectors cannot be found (%s). Logged once.", what)
            return None

    def after_fork(self) -> None:
        """Begin anew, in a forked child: threads and the lock of the folder are the parent's."""
        self._collection = Collection()
        self.release()

    def release(self) -> None:
        """Leave what several processes share to the others."""
        self._registries.release()
