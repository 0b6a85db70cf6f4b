"""Run a program under auto-instrumentation with this package's distro and configurator, whatever else is installed.

It sets variables and then becomes the program (exec), so signals and the exit status are the program's own. Variables
that are already set are kept; a flag overrides its variable.
"""

from __future__ import annotations

import os
import shlex
import sys
from argparse import ArgumentParser, Namespace

from opentelemetry_prometheus_remote_write import log_level, program
from opentelemetry_prometheus_remote_write.other_python import warn_if_lacking

EXAMPLE = "otel-prw run --endpoint http://localhost:9090/api/v1/write --interval 5s -- python app.py"
EXIT_STATUSES = "the program's own; 2 for a wrong flag, 126 if the program cannot be executed, 127 if it is not found"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument("--quiet", action="store_true", help="do not report when the first metrics have arrived")
    parser.add_argument("--dry-run", action="store_true", help="print the variables that would be set, and exit")
    program.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Become the program, or print its environment.

    Args:
        arguments: ``dry_run``, ``quiet``, the settings by name, and ``program``.

    Returns:
        The exit status: 0 after a dry run, 126 or 127 if the program cannot be run.
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
    warn_if_lacking("run", path, environ)
    sys.stdout.flush()
    sys.stderr.flush()
    return program.execute(path, words, {**environ, **changed})
