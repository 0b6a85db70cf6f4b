"""The exporters that are compared, by name. Each is known to one module, and installed in one environment."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

from opentelemetry.sdk.metrics.export import MetricExporter, MetricsData

OURS_1 = "1.0"
OURS_2 = "2.0"
OTLP = "OTLP"
PREDECESSOR = "predecessor"
FLOORS = {OURS_1: "the floor of 1.0", OURS_2: "the floor of 2.0"}
"""By whose floor they are. A floor is installed wherever ours is."""

_MODULES = {OURS_1: "ours", OURS_2: "ours", OTLP: "otlp", PREDECESSOR: "predecessor"} | dict.fromkeys(
    FLOORS.values(), "floor"
)

Encode: TypeAlias = Callable[[MetricsData], list[bytes]]
"""Translates, encodes and compresses one export, and returns the bodies of its requests."""


def encode(name: str) -> Encode:
    """Return an exporter's work without HTTP. It may remember things between two exports."""
    return _module(name).encode(name)


def exporter(name: str, url: str) -> MetricExporter:
    """Return an exporter as an application uses it.

    Args:
        name: Which one.
        url: Of a receiver, without a path.
    """
    return _module(name).exporter(name, url)


def _module(name: str):
    return import_module(f"tests.benchmarks.{_MODULES[name]}")
