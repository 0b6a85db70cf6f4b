"""The plug: one module per entry-point group, and the command `otel-prw`.

The launcher loads the modules of the distro and of the configurator in processes that export no metrics, or export them
elsewhere. So neither imports anything of the library before the exporter is made, nor the one the other.
"""

NAME = "prometheus_remote_write"
"""Our name in every group of entry points, and so in the variables of OpenTelemetry that choose among them."""

DISTRIBUTION = "opentelemetry-exporter-prometheus-remote-write"
"""The name under which pip knows what holds this package and the library."""
