"""Print a Grafana dashboard, with the names that the settings in force write.

application shows a web application's requests and process, exporter what the exporter delivers and loses. Import it in
Grafana, or put it into a folder that Grafana is provisioned from.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from opentelemetry.exporter.prometheus_remote_write.monitoring import printed
from opentelemetry.exporter.prometheus_remote_write.monitoring.in_force import names_in_force
from opentelemetry_prometheus_remote_write.unchanged_environment import unchanged_environment

EXAMPLE = "otel-prw dashboard application > application.json"
EXIT_STATUSES = "0"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument("which", nargs="?", choices=printed.DASHBOARDS, default="application")


def run(arguments: Namespace) -> int:
    """Print the dashboard.

    Args:
        arguments: ``which``.

    Returns:
        The exit status, 0.
    """
    sys.stdout.write(printed.dashboard(arguments.which, names_in_force(unchanged_environment())))
    return 0
