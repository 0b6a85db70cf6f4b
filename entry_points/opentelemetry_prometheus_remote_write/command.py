"""The command `otel-prw`."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry_prometheus_remote_write import DISTRIBUTION, receive

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line after the command's name; None takes the process's.

    Returns:
        The exit status: 0 if all went well, 2 if it was called wrongly or could not start.
    """
    parser = argparse.ArgumentParser(prog="otel-prw", description="Tools for metrics that are pushed by Remote Write.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version(DISTRIBUTION)}")
    commands = parser.add_subparsers(metavar="command", required=True)
    for name, module in {"receive": receive}.items():
        summary, _, _ = (module.__doc__ or "").partition("\n")
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed))


if __name__ == "__main__":
    sys.exit(main())
