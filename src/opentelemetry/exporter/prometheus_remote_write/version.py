"""The name and the version of this distribution, and its User-Agent."""

DISTRIBUTION = "opentelemetry-exporter-prometheus-remote-write"

__version__ = "1.0.0.dev0"
USER_AGENT = f"OTel-Prometheus-Remote-Write-Exporter-Python/{__version__}"
