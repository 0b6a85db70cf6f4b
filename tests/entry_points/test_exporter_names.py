"""Which names in OTEL_METRICS_EXPORTER mean our exporter, and which are left to the SDK."""

import pytest
from opentelemetry_prometheus_remote_write import NAME
from opentelemetry_prometheus_remote_write.exporter_names import chosen_exporters


@pytest.mark.parametrize(
    "name",
    [
        "prometheus_remote_write_exporter",
        "prometheusRemoteWriteExporter",
        "PrometheusRemoteWriteMetricsExporter",
        "opentelemetry-exporter-prometheus-remote-write",
        "otel_prw",
        "prw_exporter",
        "prom_rw",
        "prometheus_rw",
        "prom_remote_writ",
        "prometheus-write",
        "remote-write-prometheus",
        " Prw ",
    ],
)
def test_name_that_can_mean_nothing_else_is_ours(name, caplog):
    assert chosen_exporters(f"console,{name}") == ["console", NAME]
    (line,) = caplog.messages
    assert line == f"OTEL_METRICS_EXPORTER: {name.strip()!r} is read as {NAME}, the name of this exporter"


@pytest.mark.parametrize(
    "name", ["", "none", "console", "otlp", "otlp_proto_http", "prometheus", "otel", "metrics_exporter", "rw", "acme"]
)
def test_other_names_are_left_as_they_are(name, caplog):
    assert chosen_exporters(f"{name},{NAME}") == [name, NAME]
    assert not caplog.messages
