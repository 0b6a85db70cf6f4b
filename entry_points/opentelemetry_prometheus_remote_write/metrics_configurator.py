"""The fallback where the SDK's private configurator is missing: metrics only, by the SDK's public API."""

from __future__ import annotations

from logging import getLogger
from typing import Any

from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource

_logger = getLogger(__name__)


class MetricsConfigurator:
    """Builds a meter provider with our controller, if that is wanted."""

    def configure(self, **kwargs: Any) -> None:
        """Configure the SDK."""
        self._configure(**kwargs)

    def _configure(
        self,
        *,
        auto_instrumentation_version: str | None = None,
        metric_exporter_names: list[str] | None = None,
        resource_attributes: dict[str, Any] | None = None,
        **_others: Any,
    ) -> None:
        _logger.warning(
            "This version of opentelemetry-sdk is not supported: only metrics are exported, by Remote Write alone"
        )
        attributes = {**(resource_attributes or {}), "telemetry.auto.version": auto_instrumentation_version or ""}
        if metric_exporter_names:  # ours alone
            # Late: it imports the exporter, which is there by now.
            from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller  # noqa: PLC0415

            set_meter_provider(MeterProvider([Controller()], resource=Resource.create(attributes)))
