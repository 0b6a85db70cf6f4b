"""Print Prometheus's alerts and recording rules, with the names and the interval of the settings in force.

Name the file under rule_files in prometheus.yml.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from opentelemetry.exporter.prometheus_remote_write.monitoring import printed
from opentelemetry.exporter.prometheus_remote_write.monitoring.in_force import names_in_force
from opentelemetry_prometheus_remote_write.unchanged_environment import unchanged_environment

EXAMPLE = "otel-prw rules > rules.yaml"
EXIT_STATUSES = "0"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments: the subcommand has none."""


def run(arguments: Namespace) -> int:  # noqa: ARG001 - as every subcommand
    """Print the rules.

    Args:
        arguments: None.

    Returns:
        The exit status, 0.
    """
    sys.stdout.write(printed.rules(names_in_force(unchanged_environment())))
    return 0
