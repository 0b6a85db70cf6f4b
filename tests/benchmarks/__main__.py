"""What an export costs, side by side with its peers: python -m tests.benchmarks [--quick] [FIGURE ...]."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import churn, event_loop, growth, latency, memory, registry, self_metrics, speed, start
from tests.benchmarks.effort import FULL, QUICK
from tests.benchmarks.environments import pythons
from tests.benchmarks.table import as_json, markdown, plain

FIGURES = {
    each.__name__.rpartition(".")[2]: each.rows
    for each in (speed, memory, growth, churn, registry, self_metrics, latency, event_loop, start)
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", choices=[[], *FIGURES], metavar="FIGURE", help=f"{', '.join(FIGURES)}")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, and not the largest load")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers, unrounded")
    parser.add_argument("--markdown", action="store_true", help="print the table as README.md has it")
    arguments = parser.parse_args()

    measured = []
    interpreters = pythons()
    for figure in arguments.figures or FIGURES:
        started = time.monotonic()
        measured += FIGURES[figure](interpreters, QUICK if arguments.quick else FULL)
        print(f"{figure}: measured in {time.monotonic() - started:.0f} s", file=sys.stderr)
    machine = _machine()
    print(", ".join(f"{name} {what}" for name, what in machine.items()))
    print(markdown(measured) if arguments.markdown else plain(measured))
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(machine, measured), indent=2) + "\n")


def _machine() -> dict[str, str]:
    """The machine's kind, never its name."""
    return {
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "on": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "SDK": version("opentelemetry-sdk"),
    }


if __name__ == "__main__":
    main()
