"""The command `otel-prw`."""

from __future__ import annotations

import io
import logging
import os
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version

from opentelemetry_prometheus_remote_write import DISTRIBUTION
from opentelemetry_prometheus_remote_write.command_line import Parser

SUBCOMMANDS = (
    "run",
    "check",
    "preview",
    "receive",
    "job",
    "dashboard",
    "rules",
)
"""The modules of the subcommands, in the order of the help.

Each has a docstring, whose first line is the summary; ``EXAMPLE``, a command line; ``EXIT_STATUSES``, a sentence;
``add_arguments(parser)``; and ``run(arguments)``, which returns the exit status.
"""


_INTERRUPTED = 130  # the shell's status for SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line after the command's name; None takes the process's.

    Returns:
        The exit status: 2 for a usage error, else the subcommand's.
    """
    logging.getLogger(__package__).addHandler(logging.NullHandler())  # our log lines are for applications
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # metrics may contain characters that stdout's encoding lacks
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = Parser(
        prog="otel-prw",
        description="Run, check and watch metrics that are pushed by Remote Write.",
        epilog="example: otel-prw check --help",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version(DISTRIBUTION)}")
    commands = parser.add_subparsers(metavar="command", required=True)
    chosen = next((word for word in given if not word.startswith("-")), "")
    for name in [chosen] if chosen in SUBCOMMANDS else SUBCOMMANDS:  # the others need not be imported
        module = import_module(f"{__package__}.{name}")
        summary, _, details = (module.__doc__ or "").partition("\n")
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary}\n{details}".rstrip(),
            epilog=f"exit status: {module.EXIT_STATUSES}\n\nexample: {module.EXAMPLE}",
            formatter_class=RawDescriptionHelpFormatter,
        )
        if name == chosen:
            module.add_arguments(command)
            command.set_defaults(run=module.run, parser=command)
    parsed, unknown = parser.parse_known_args(given)
    if unknown:
        _refuse(parsed.parser, unknown[0])
    try:
        return int(parsed.run(parsed))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe. Python flushes again at exit, and that must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _INTERRUPTED


def _refuse(parser: Parser, word: str) -> None:
    flag = word.partition("=")[0]
    close = get_close_matches(flag, parser.flags, n=1) if flag.startswith("-") else []
    parser.error(f"{flag} is not an argument" + (f"; did you mean {close[0]}?" if close else ""))


if __name__ == "__main__":
    sys.exit(main())
