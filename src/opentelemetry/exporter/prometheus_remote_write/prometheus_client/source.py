"""Collects the prometheus_client metrics that this process has to push, export after export."""

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
_SHARE = 0.5  # fraction of an export's time, at most; the rest is for sending
_LONGEST = 10.0  # seconds, Prometheus's default scrape_timeout


class Part(NamedTuple):
    """What was collected under one resource.

    Args:
        families: Each a ``Metric`` of prometheus_client.
        resource: The attributes from which ``job`` and ``instance`` are derived.
        has_info: Whether ``target_info`` of this resource is included, because no other metrics are.
    """

    families: Sequence[Any]
    resource: Mapping[str, Any]
    has_info: bool = False


class Collected(NamedTuple):
    """What was collected.

    Args:
        own: Of only this process.
        shared: What several processes share; None if another process pushes it, or there is none.
        time: The time for samples without one, in milliseconds since the epoch.
    """

    own: Part
    shared: Part | None
    time: int


class Source:
    """Collects from the registries of a process.

    Args:
        setting: Registries, or True for the default one and the folder that several processes share.
        clock: Nanoseconds since the epoch.
    """

    def __init__(self, setting: bool | tuple[Any, ...], clock: Callable[[], int] = time.time_ns) -> None:  # noqa: FBT001 - the setting itself
        self._registries = Registries(setting if isinstance(setting, tuple) else None)
        self._collection = Collection()
        self._clock = clock
        self._has_warned = False

    def collect(self, data: MetricsData, group: str, seconds: float, *, last: bool) -> Collected:
        """Collect once; raise nothing.

        Args:
            data: The export's metrics, which contain the resource.
            group: The instance id for what several processes share; if empty, the folder's is used.
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
        """End the collection in progress with what there is."""
        self._collection.interrupt()

    def leaves_to_others(self) -> bool:
        """Return whether another process continues what several processes share when this one ends."""
        return self._registries.folder is not None and self._registries.folder.has_heirs()

    def _found(self, find: Callable[[], Sequence[Collector] | None]) -> Sequence[Collector] | None:
        try:
            return find()
        except Exception as error:  # noqa: BLE001 - a half-imported library, or another one of that name
            if not self._has_warned:
                self._has_warned = True
                what = error_text(error)
                _logger.warning("prometheus_client: its collectors cannot be found (%s). Logged once.", what)
            return None

    def after_fork(self) -> None:
        """Start afresh in a forked child: threads and the folder's lock are the parent's."""
        self._collection = Collection()
        self.release()

    def release(self) -> None:
        """Leave what several processes share to the other processes."""
        self._registries.release()
