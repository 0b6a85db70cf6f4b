"""What is installed in this environment: distributions, and the entry points that the launcher finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import NamedTuple, TypeAlias


class Plug(NamedTuple):
    """An entry point.

    Args:
        name: The name by which a variable chooses it.
        value: Module and object.
        distribution: The name and version of its distribution.
    """

    name: str
    value: str
    distribution: str

    def __str__(self) -> str:
        return f"{self.name} of {self.distribution}"


Plugs: TypeAlias = Mapping[str, Sequence[Plug]]
"""The entry points of each group, in the order in which the launcher finds them."""

GROUPS = (
    "opentelemetry_distro",
    "opentelemetry_configurator",
    "opentelemetry_metrics_exporter",
    "opentelemetry_traces_exporter",
    "opentelemetry_logs_exporter",
)


def installed_plugs() -> Plugs:
    """Return the entry points of the groups that matter for metrics."""
    return {group: [_plug(each) for each in entry_points(group=group)] for group in GROUPS}


def installed_version(distribution: str) -> str | None:
    """Return the version of a distribution, or None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _plug(entry_point: object) -> Plug:
    found = getattr(entry_point, "dist", None)
    distribution = f"{found.name} {found.version}" if found else "an unknown distribution"
    return Plug(getattr(entry_point, "name", ""), getattr(entry_point, "value", ""), distribution)
