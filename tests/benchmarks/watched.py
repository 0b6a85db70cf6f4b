"""An application whose exporter tells of itself, by another provider's meters, so that it shows apart."""

from __future__ import annotations

import os
import time

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.configuration.sdk_variables import SELF_METRICS
from opentelemetry.exporter.prometheus_remote_write.model.transport import BaseTransport, Response
from tests.benchmarks.exporters import encode
from tests.benchmarks.load import Application, Load

_ALL = {f"X-Prometheus-Remote-Write-{kind}-Written": "999999999" for kind in ("Samples", "Histograms", "Exemplars")}


class _Accepting(BaseTransport):
    """A receiver that takes everything at once."""

    def post(self, *_request: object) -> Response:
        return Response(204, _ALL)


class Watched:
    """The application.

    Args:
        load: The work of one export.
        protocol: The version of Remote Write.
    """

    def __init__(self, load: list[int], protocol: str) -> None:
        os.environ[SELF_METRICS] = "true"
        self._application = Application(Load(*load))
        self._exporter = PrometheusRemoteWriteMetricsExporter(
            "http://127.0.0.1:9/api/v1/write", protocol=protocol, transport=_Accepting()
        )
        self._reader = InMemoryMetricReader()
        self._exporter.set_meter_provider(MeterProvider([self._reader], shutdown_on_exit=False))
        self._encode = encode(protocol)

    def export(self) -> float:
        """Collect and export what the application has measured, without HTTP; return the CPU seconds."""
        self._application.record()
        began = time.process_time()
        self._exporter.export(self._application.collect())
        return time.process_time() - began

    def tell(self) -> float:
        """Collect, translate, encode and compress what the exporter tells of itself; return the CPU seconds."""
        began = time.process_time()
        self._encode(self._reader.get_metrics_data())
        return time.process_time() - began
