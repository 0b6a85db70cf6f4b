"""Pushes OpenTelemetry metrics to Prometheus-compatible servers by Remote Write.

The names of ``__all__`` are public; everything else is internal and may change in any version.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .configuration.settings import Settings
    from .errors import (
        Cause,
        InvalidSetting,
        Rejected,
        RemoteWriteError,
        Retryable,
        SendError,
        Unsendable,
    )
    from .exporter import PrometheusRemoteWriteMetricsExporter
    from .model.transport import BaseTransport, Response

__all__ = [
    "BaseTransport",
    "Cause",
    "InvalidSetting",
    "PrometheusRemoteWriteMetricsExporter",
    "Rejected",
    "RemoteWriteError",
    "Response",
    "Retryable",
    "SendError",
    "Settings",
    "Unsendable",
]

_MODULES = {
    "PrometheusRemoteWriteMetricsExporter": "exporter",
    "Settings": "configuration.settings",
    "BaseTransport": "model.transport",
    "Response": "model.transport",
}


def __getattr__(name: str) -> object:
    # The launcher imports this package in every process for the names of the variables; only a process that builds the
    # exporter pays for HTTP and protobuf.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES.get(name, 'errors')}", __name__), name)
