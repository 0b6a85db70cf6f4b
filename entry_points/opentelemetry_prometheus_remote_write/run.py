"""Run a program under auto-instrumentation with this package's distro and configurator, whatever else is installed.

It sets variables and becomes the program: no process stands in between, and signals and exit status are the
program's. What the environment says is kept; a flag wins over a variable.
"""

from __future__ import annotations

import os
import shlex
import sys
from argparse import ArgumentParser, Namespace

from opentelemetry_prometheus_remote_write import log_level, program

EXAMPLE = "otel-prw run --endpoint http://localhost:9090/api/v1/write --interval 5s -- python app.py"
EXIT_STATUSES = (
    "the program's own; 2 where a flag is wrong, 126 where the program cannot be executed, 127 where it is not found"
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument("--quiet", action="store_true", help="do not say when the first metrics have arrived")
    parser.add_argument("--dry-run", action="store_true", help="print the variables that would be set, and end")
    program.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Become the program, or print its environment.

    Args:
        arguments: ``dry_run``, ``quiet``, the settings by name, and ``program``.

    Returns:
        The exit status: 0 after a dry run, 126 or 127 where the program cannot be run.
    """
    words = program.command(arguments)
    environ = {**os.environ, **program.given_settings(arguments)}
    changed = {**program.given_settings(arguments), **program.instrumentation(environ, program.working_folder())}
    if not arguments.quiet and not environ.get(log_level.VARIABLE, "").strip():
        changed[log_level.VARIABLE] = "info"
    for sentence in program.kept(environ):
        sys.stderr.write(f"otel-prw run: {sentence}\n")
    if arguments.dry_run:
        sys.stdout.writelines(f"{name}={shlex.quote(text)}\n" for name, text in sorted(changed.items()))
        return 0
    path = program.executable(words[0], environ)
    if isinstance(path, int):
        return path
    sys.stdout.flush()
    sys.stderr.flush()
    return program.execute(path, words, {**environ, **changed})
