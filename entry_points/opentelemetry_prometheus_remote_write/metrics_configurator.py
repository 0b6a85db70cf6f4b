"""The fallback where the SDK's private configurator is missing: metrics only, by the SDK's public API."""

from __future__ import annotations

from logging import getLogger
from typing import Any

from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource

_logger = getLogger(__name__)


class MetricsConfigurator:
    """Builds a meter provider with the given readers."""

    def configure(self, **kwargs: Any) -> None:
        """Configure the SDK."""
        self._configure(**kwargs)

    def _configure(
        self,
        *,
        auto_instrumentation_version: str | None = None,
        exporter_args_map: dict[type, dict[str, Any]] | None = None,
        resource_attributes: dict[str, Any] | None = None,
        **_others: Any,
    ) -> None:
        _logger.warning(
            "This version of opentelemetry-sdk is not supported: only metrics are exported, by Remote Write alone"
        )
        attributes = {**(resource_attributes or {}), "telemetry.auto.version": auto_instrumentation_version or ""}
        readers = [kind(**arguments) for kind, arguments in (exporter_args_map or {}).items()]
        if readers:
            set_meter_provider(MeterProvider(readers, resource=Resource.create(attributes)))
