"""Globs of settings that match nothing, most likely because they are misspelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from ..configuration.settings import Settings, variable
from ..messages.own_logger import OwnLogger

_logger = OwnLogger(__name__)

_SAY_AFTER = 3600.0  # seconds: some metrics come with the first error, the first job, the first user
_LISTED = 10


class UnmatchedGlobs:
    """The globs of an exporter that have matched nothing so far.

    Args:
        settings: With the globs.
        clock: Monotonic seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._unmatched = {"drop_metrics": {*settings.drop_metrics}, "resource_labels": {*settings.resource_labels}}

    def note_metrics(self, names: Iterable[str]) -> None:
        """Note names of metrics."""
        self._note("drop_metrics", list(names))

    def note_attributes(self, keys: Iterable[str]) -> None:
        """Note the attributes of a resource."""
        self._note("resource_labels", list(keys))

    def log(self) -> None:
        """Warn once, after an hour, about the globs that have matched nothing."""
        if not self._unmatched or self._clock() - self._began < _SAY_AFTER:
            return
        for setting, globs in self._unmatched.items():
            if globs:
                _logger.warning(
                    "%s: no name has matched %s for an hour; is it misspelled? %s",
                    variable(setting),
                    ", ".join(map(repr, sorted(globs)[:_LISTED])),
                    "The names are OpenTelemetry's, with dots, not Prometheus's.",
                )
        self._unmatched = {}

    def _note(self, setting: str, names: list[str]) -> None:
        unmatched = self._unmatched.get(setting)
        if unmatched:
            matched = {glob for glob in unmatched if any(fnmatchcase(name, glob.removeprefix("!")) for name in names)}
            unmatched -= matched
