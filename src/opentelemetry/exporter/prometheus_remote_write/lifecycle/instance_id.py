"""The instance id under which a process writes its series: its own, also where several processes were given the same.

Prometheus knows a writer by ``job`` and ``instance`` alone, and two writers of one series spoil it. The SDK makes up
an id for each process; but the one that the environment names (the OpenTelemetry Operator names one for each
container) is inherited by every worker, and a forked worker would get a new random one, and with it new series, at
each restart. So the processes that share an id number themselves: the first is ``<id>``, the others ``<id>-1``,
``<id>-2`` and so on, and the number of one that is gone, however it died, is free for the next.

A number is a lock on a file in a folder of the user's below the temporary folder; the system drops the lock with the
process. The file holds the time until which series were written under its id, and only a process that began to count
after that takes the number: so what a series holds of one process ends before what it holds of the next begins.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    Resource,
    ServiceInstanceIdResourceDetector,
)

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a platform without it

_logger = logging.getLogger(__name__)

_MOST = 10_000  # processes that share an id
_FORGOTTEN = 86_400.0  # seconds after which a file that nobody locks is removed
_TIME_DIGITS = 20


def lock_folders() -> list[Path]:
    """Where locks may be kept, in this order: in a container the first is often read-only, the second never."""
    if not hasattr(os, "geteuid"):
        return []
    name = f"otel-prw-{os.geteuid()}"
    return [Path(parent) / name for parent in (os.environ.get("TMPDIR") or "/tmp", "/dev/shm")]  # noqa: S108 - see _make


def generated_id() -> str:
    """The id that the SDK has made up for this very process."""
    return str(ServiceInstanceIdResourceDetector().detect().attributes[SERVICE_INSTANCE_ID])


class _Claim(NamedTuple):
    """An id that is this process's alone; the file is its lock, or None where there are no locks."""

    instance: str
    file: int | None


class _Origin(NamedTuple):
    """What forked processes have in common: an id, and the first number that is theirs."""

    instance: str
    first: int


class Instance:
    """Gives the metrics of this process an instance id of their own.

    Nothing is read, written or locked before the first export, nor where the id is the SDK's own for this very process.

    Args:
        destination: Where the series go: the same process may well write the same series to two receivers.
        generated: The id that the SDK makes up for the process that calls it.
        folders: Where locks may be kept.
        clock: Nanoseconds since the epoch.
    """

    def __init__(
        self,
        destination: str,
        generated: Callable[[], str],
        folders: Callable[[], Sequence[Path]] = lock_folders,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._destination = destination
        self._generated = generated
        self._generated_here = generated()
        self._folders = folders
        self._clock = clock
        self._origin: _Origin | None = None
        self._claims: dict[tuple[str, str], _Claim] = {}

    def adopted(self, data: MetricsData) -> MetricsData:
        """Return the data with the id of this process in its resources."""
        return replace(data, resource_metrics=[self._adopted(metrics) for metrics in data.resource_metrics])

    def after_fork(self, inherited: str) -> None:
        """Take up an id of its own, in a forked child.

        Args:
            inherited: The id in the parent's resource, or nothing if that is not known.
        """
        if self._origin is None and inherited:
            # An id that the SDK made up is the parent's own: it has never locked it.
            self._origin = _Origin(inherited, first=1 if inherited == self._generated_here else 0)
        for claim in self._claims.values():
            if claim.file is not None:
                with suppress(OSError):
                    os.close(claim.file)  # which leaves the parent's lock alone; unlocking would not
        self._claims = {}

    def _adopted(self, metrics: ResourceMetrics) -> ResourceMetrics:
        attributes = metrics.resource.attributes
        given = str(attributes.get(SERVICE_INSTANCE_ID) or "")
        if self._origin:
            origin = self._origin
        elif given and given != self._generated():
            origin = _Origin(given, first=0)
        else:
            return metrics
        key = (f"{attributes.get(SERVICE_NAMESPACE)}/{attributes.get(SERVICE_NAME)}", origin.instance)
        if key not in self._claims:
            self._claims[key] = self._claim(key, origin, _beginning(metrics) or self._clock())
        claim = self._claims[key]
        if claim.file is not None:
            with suppress(OSError):  # a full disk takes away what the next process would learn, and no more
                _write_time(claim.file, self._clock())
        resource = Resource({**attributes, SERVICE_INSTANCE_ID: claim.instance}, metrics.resource.schema_url)
        return replace(metrics, resource=resource)

    def _claim(self, key: tuple[str, str], origin: _Origin, beginning: int) -> _Claim:
        name = hashlib.sha256("\0".join((self._destination, *key)).encode("utf-8", "replace")).hexdigest()[:24]
        reason = "this system has no file locks"
        for folder in self._folders() if fcntl else ():
            try:
                _make(folder)
                _remove_forgotten(folder, self._clock() / 1e9 - _FORGOTTEN)
                return self._numbered(folder, name, origin, beginning)
            except OSError as error:
                reason = f"{folder}: {error.strerror or error}"
        _logger.info("Processes that share an instance id are told apart by their process id (%s)", reason)
        return _Claim(f"{origin.instance}-{os.getpid()}", None)

    def _numbered(self, folder: Path, name: str, origin: _Origin, beginning: int) -> _Claim:
        for number in range(origin.first, _MOST):
            file = _locked(folder / f"{name}-{number}")
            if file is None:
                continue
            if _read_time(file) >= beginning:
                os.close(file)
                continue
            return _Claim(f"{origin.instance}-{number}" if number else origin.instance, file)
        raise OSError(f"{_MOST} processes share an instance id")


def _beginning(metrics: ResourceMetrics) -> int:
    """Since when the process has counted, in nanoseconds since the epoch; 0 if nothing says it."""
    times = (
        point.start_time_unix_nano or point.time_unix_nano
        for scope in metrics.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    )
    return min(times, default=0)


def _make(folder: Path) -> None:
    """Make the folder, and see that nobody else has made it to play tricks on us.

    Raises:
        OSError: It cannot be had.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise OSError("it is not a folder of this user alone")


def _locked(path: Path) -> int | None:
    """Open and lock a file: its descriptor, or None if another process has locked it.

    Raises:
        OSError: It cannot be opened, or this file system knows no locks.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_nlink:
                return file
        except BlockingIOError:
            os.close(file)
            return None
        except OSError:
            os.close(file)
            raise
        os.close(file)  # it was removed before it was locked


def _remove_forgotten(folder: Path, before: float) -> None:
    """Remove the files that no process has written to since a time, in seconds since the epoch."""
    for path in folder.iterdir():
        with suppress(OSError):
            if path.stat().st_mtime < before and (file := _locked(path)) is not None:
                path.unlink()
                os.close(file)


def _read_time(file: int) -> int:
    text = os.pread(file, _TIME_DIGITS, 0)
    return int(text) if text.isdigit() else 0


def _write_time(file: int, nanoseconds: int) -> None:
    os.pwrite(file, b"%0*d" % (_TIME_DIGITS, nanoseconds), 0)
