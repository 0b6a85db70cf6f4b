"""The whole check, in the order of the data: the installation, the settings, the network path, the receiver."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from . import declarative_file, installation, kubernetes, launcher_choice
from .finding import Finding
from .installed import installed_plugs, installed_version

LONGEST = 30.0
"""Seconds that a check takes at most by default."""


class Check:
    """Finds out whether metrics would arrive, without changing anything.

    Args:
        environ: The environment that the application would have.
        send: Whether one series of our own is sent.
        names_of: How our configurator reads OTEL_METRICS_EXPORTER.

    Attributes:
        end: The deadline, by ``time.monotonic``: network operations have the setting TIMEOUT.
    """

    def __init__(self, environ: Mapping[str, str], *, send: bool, names_of: Callable[[str], list[str]]) -> None:
        self._environ = environ
        self._names_of = names_of
        self._send = send
        self.end = time.monotonic() + LONGEST

    def findings(self) -> Iterator[Finding]:
        """Yield the findings, each as soon as it is known."""
        can_be_imported = True
        for finding in _within("installation", self._installation()):
            can_be_imported = can_be_imported and finding.topic != "import"
            yield finding
        if can_be_imported:
            from .sending import findings  # noqa: PLC0415 - imports packages that may be missing

            for section, found in findings(self._environ, self._limit, send=self._send):
                yield from _within(section, [found])

    def _installation(self) -> Iterator[Finding]:
        yield from installation.findings(installed_version)
        has_file = declarative_file.reads_a_file(self._environ)
        yield from launcher_choice.findings(installed_plugs(), self._environ, self._names_of, has_file=has_file)
        yield from kubernetes.findings(self._environ, is_mounted=Path(kubernetes.FOLDER).is_dir())

    def _limit(self, seconds: float) -> float:
        """Set how long the rest may take, and return the deadline."""
        self.end = time.monotonic() + (LONGEST if math.isinf(seconds) else seconds)
        return self.end


def _within(section: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Put findings into a section of the report."""
    for finding in findings:
        yield replace(finding, section=section)
