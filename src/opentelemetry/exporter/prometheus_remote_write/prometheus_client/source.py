"""Collects what this process has to push of prometheus_client's metrics, export after export."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.sdk.metrics.export import MetricsData

from ..messages.own_logger import OwnLogger
from ..messages.text import error_text
from ..model.timestamps import NANOSECONDS_PER_MILLISECOND
from .collection import Collection
from .registries import Registries

_logger = OwnLogger(__name__)

_INSTANCE_ID = "service.instance.id"
_SHARE = 0.5  # of an export's time, at most; the rest is for sending


class Collected(NamedTuple):
    """What was collected.

    Args:
        families: Each a ``Metric`` of prometheus_client.
        resource: The attributes of the resource that ``job`` and ``instance`` are taken from.
        time: Of the samples that have none of their own, in milliseconds since the epoch.
    """

    families: Sequence[Any]
    resource: Mapping[str, Any]
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
            group: The instance id of what several processes share; nothing if they have none in common.
            seconds: How long the export may take.
            last: Whether this process exports for the last time.
        """
        try:
            collectors = self._registries.collectors(last=last)
        except Exception as error:  # noqa: BLE001 - of a library that is half imported, or another one of its name
            self._tell(error)
            collectors = []
        families = self._collection.collect(collectors, seconds * _SHARE)
        resource = data.resource_metrics[0].resource.attributes if data.resource_metrics else {}
        if self._registries.shared and group:
            resource = {**resource, _INSTANCE_ID: group}
        return Collected(families, resource, self._clock() // NANOSECONDS_PER_MILLISECOND)

    def _tell(self, error: Exception) -> None:
        if not self._has_told:
            self._has_told = True
            _logger.warning("prometheus_client: its collectors cannot be found (%s). Logged once.", error_text(error))

    def after_fork(self) -> None:
        """Begin anew, in a forked child: threads and the lock of the folder are the parent's."""
        self._collection = Collection()
        self.release()

    def release(self) -> None:
        """Leave what several processes share to the others."""
        if self._registries.shared:
            self._registries.shared.release()
