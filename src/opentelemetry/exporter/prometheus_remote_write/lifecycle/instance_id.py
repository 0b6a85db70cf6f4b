"""The instance id under which a process writes its series, unique even if several processes were given the same.

Prometheus identifies a writer only by ``job`` and ``instance``, and two writers corrupt a series. The SDK generates an
id for each process. But an id from the environment (the OpenTelemetry Operator sets one for each container) is
inherited by every worker, and a forked worker would get a new random id, and with it new series, at each restart. So
processes that share an id number themselves: the first is ``<id>``, the others ``<id>-1``, ``<id>-2`` and so on, and
the number of a process that is gone, however it died, is free for the next. With the host's name as the id
(INSTANCE=host), series continue across restarts without further setup.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from weakref import ref

from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource

from ..messages.own_logger import OwnLogger
from .birth import SDK_MAKES_IDS, Birth
from .instance_number import SOCKETS, InstanceNumber, take_number
from .lock_folder import lock_folders

_logger = OwnLogger(__name__)

_INSTANCE_ID, _NAME, _NAMESPACE = "service.instance.id", "service.name", "service.namespace"
_MOST = 10_000  # processes that share an id


def host_name() -> str:
    """Return the host's name, which in Kubernetes is the pod's; empty if it has none."""
    return platform.node()


def writer(data: MetricsData) -> str:
    """Return a text shared by successive processes that write the same series; empty without instances.

    Args:
        data: With the ids of this process.
    """
    instances = {(_job(metrics), _given(metrics)) for metrics in data.resource_metrics if _is_readable(metrics)}
    return "" if any(not instance for _, instance in instances) else repr(sorted(instances))


class _Claim(NamedTuple):
    """An id made unique by a number; without a number if none can be held."""

    instance: str
    number: InstanceNumber | None


class _Origin(NamedTuple):
    """What forked processes have in common: an id, and their first number."""

    instance: str
    first: int


class Instance:
    """Gives the metrics of this process an instance id of their own.

    Nothing is read, written or locked before the first export, nor where the id is the SDK's own for this very process.

    Args:
        destination: Where the series go: the same process may well write the same series to two receivers.
        generated: The id that the SDK makes up for the process that calls it.
        fixed: The id of all processes, in place of the resource's; if empty, the resource's is used.
        sdk_makes_ids: Whether resources have an id by themselves; where they have none, it is the generated one.
        folders: Where locks may be kept.
        sockets: How the names of sockets begin that are locks, too; None is without.
        clock: Nanoseconds since the epoch.
        birth: Of the exporter, where that was earlier.

    Attributes:
        group: The id that was set for this process and others, before its number; nothing where none was.
    """

    def __init__(  # noqa: PLR0913 - most say where it runs
        self,
        destination: str,
        generated: Callable[[], str],
        *,
        fixed: Callable[[], str] = str,
        sdk_makes_ids: bool = SDK_MAKES_IDS,
        folders: Callable[[], Sequence[Path]] = lock_folders,
        sockets: str | None = SOCKETS,
        clock: Callable[[], int] = time.time_ns,
        birth: Birth | None = None,
    ) -> None:
        self._destination = destination
        self._generated = generated
        self._generated_here = birth.instance if birth else generated()
        self._fixed = fixed
        self._sdk_makes_ids = sdk_makes_ids
        self._folders = folders
        self._sockets = sockets
        self._clock = clock
        self._made = birth.time if birth else clock()
        self._process = birth.process if birth else os.getpid()
        self._origin: _Origin | None = None
        self.group = ""
        self._claims: dict[tuple[str, str], _Claim] = {}

    def identified(self, data: MetricsData) -> MetricsData:
        """Return the data with the id of this process in its resources."""
        if self._process != os.getpid():  # forked without Python's knowledge
            self.after_fork(next(map(_given, filter(_is_readable, data.resource_metrics)), ""))
        # What a foreign producer got wrong beside what is sound is left for translation to drop.
        is_partly_sound = any(map(_is_readable, data.resource_metrics))
        identified = [
            each if is_partly_sound and not _is_readable(each) else self._identified(each)
            for each in data.resource_metrics
        ]
        return replace(data, resource_metrics=identified)

    def after_fork(self, inherited: str) -> None:
        """Take a new id, in a forked child.

        Args:
            inherited: The id in the parent's resource; empty if unknown.
        """
        if not inherited and not self._sdk_makes_ids:
            inherited = self._generated_here
        if self._origin is None and inherited:
            # An id that the SDK generated is the parent's own: it was never locked.
            self._origin = _Origin(inherited, first=1 if inherited == self._generated_here else 0)
        self._process = os.getpid()
        for number in self._given_up():
            number.close()

    def release(self) -> None:
        """Release the ids."""
        for key, holder in tuple(_alone.items()):
            if holder() is self:
                del _alone[key]
                _used_until[key] = self._clock()
        for number in self._given_up():
            number.release()

    def _given_up(self) -> list[InstanceNumber]:
        claims, self._claims = self._claims, {}
        return [claim.number for claim in claims.values() if claim.number]

    def _identified(self, metrics: ResourceMetrics) -> ResourceMetrics:
        given = _given(metrics)
        one_of_several = _Origin(given or self._generated_here, first=1)
        if fixed := self._fixed():
            origin = _Origin(fixed, first=0)
        elif self._origin:
            origin = self._origin
        elif given and given != self._generated():
            origin = _Origin(given, first=0)
        elif (_job(metrics), one_of_several.instance) not in self._claims and self._is_alone(metrics):
            has_said = _INSTANCE_ID in metrics.resource.attributes  # an empty one says that there is to be none
            return metrics if has_said or self._sdk_makes_ids else _with_id(metrics, self._generated_here)
        else:
            origin = one_of_several
        if not origin.first:  # otherwise it was generated, and others of the group may have generated another
            self.group = origin.instance
        key = (_job(metrics), origin.instance)
        claim = self._claims.get(key)
        if claim is None or (claim.number and not claim.number.is_ours()):
            claim = self._claims[key] = self._claim(key, origin, claim, self._began(metrics))
        if claim.number:
            claim.number.prolong(self._clock())
        return _with_id(metrics, claim.instance)

    def _began(self, metrics: ResourceMetrics) -> int:
        return max(_beginning(metrics) or self._clock(), self._made)  # for the SDK counts for us since then

    def _is_alone(self, metrics: ResourceMetrics) -> bool:
        """Return whether no other exporter of this process uses the process's own id for the same job and receiver.

        Nor may one have used it since this exporter began to count: the samples of the two would overlap.
        """
        key = (os.getpid(), self._destination, _job(metrics))
        if _used_until.get(key, 0) > self._began(metrics):
            return False
        holder = _alone.setdefault(key, ref(self))()
        if holder is None:
            _alone[key] = ref(self)
        return holder is None or holder is self

    def _claim(self, key: tuple[str, str], origin: _Origin, before: _Claim | None, began: int) -> _Claim:
        """Claim an id.

        Args:
            key: The job and receiver that it is for.
            origin: The id before its number.
            before: The id that this process had and lost.
            began: Since when the process has counted.
        """
        import hashlib  # noqa: PLC0415 - late: an application may have a module of that name

        name = hashlib.sha256("\0".join((self._destination, *key)).encode("utf-8", "replace")).hexdigest()[:24]
        numbers: Iterable[int] = range(origin.first, _MOST)
        if before and before.number:
            before.number.release(returns=True)
            numbers = chain([before.number.number], numbers)
        try:
            number = take_number(name, numbers, began, folders=self._folders(), sockets=self._sockets, now=self._clock)
        except OSError as error:
            _logger.warning(
                "Processes that share the instance id %s are distinguished by their process ids, so each restart "
                "starts new series: no number can be locked (%s)",
                origin.instance,
                error,
            )
            return _Claim(f"{origin.instance}-pid{os.getpid()}", None)  # a number may be as small in a container
        if number.forgotten_for:
            _logger.info(
                "Processes that share the instance id %s may take over a number that was used a moment ago, so that "
                "their series overlap: when it was used last cannot be written down (%s)",
                origin.instance,
                number.forgotten_for,
            )
        return _Claim(f"{origin.instance}-{number.number}" if number.number else origin.instance, number)


_alone: dict[tuple[int, str, str], ref[Instance]] = {}
"""Which exporter uses a process's own id without a number: by process, receiver and job."""

_used_until: dict[tuple[int, str, str], int] = {}
"""When the last exporter that used it so was shut down, in nanoseconds since the epoch."""


def _job(metrics: ResourceMetrics) -> str:
    attributes = metrics.resource.attributes
    return f"{attributes.get(_NAMESPACE)}/{attributes.get(_NAME)}"


def _given(metrics: ResourceMetrics) -> str:
    return str(metrics.resource.attributes.get(_INSTANCE_ID) or "")


def _with_id(metrics: ResourceMetrics, instance: str) -> ResourceMetrics:
    resource = Resource({**metrics.resource.attributes, _INSTANCE_ID: instance}, metrics.resource.schema_url)
    return replace(metrics, resource=resource)


def _is_readable(metrics: ResourceMetrics) -> bool:
    try:
        return bool(_job(metrics)) and isinstance(_given(metrics), str)
    except Exception:  # noqa: BLE001 - a foreign producer's data may be wrong in any way
        return False


def _beginning(metrics: ResourceMetrics) -> int:
    """Return since when the process has counted, in nanoseconds since the epoch; 0 if unknown."""
    times: list[int] = []
    for scope in metrics.scope_metrics:
        for metric in scope.metrics:
            with suppress(Exception):  # as above
                times.append(
                    min(int(each.start_time_unix_nano or each.time_unix_nano) for each in metric.data.data_points)
                )
    return min(times, default=0)
