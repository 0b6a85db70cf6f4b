"""The command `otel-prw`."""

from __future__ import annotations

import io
import logging
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from typing import NoReturn

from opentelemetry_prometheus_remote_write import DISTRIBUTION
from opentelemetry_prometheus_remote_write.command_line import Parser
from opentelemetry_prometheus_remote_write.output import discard, open_missing_streams

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
_OUTPUT_FAILED = 74  # EX_IOERR of sysexits.h
_COMMANDS = f"choose one of {', '.join(SUBCOMMANDS)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line after the command's name; None takes the process's.

    Returns:
        The exit status: 2 for a usage error, else the subcommand's.
    """
    logging.getLogger(__package__).addHandler(logging.NullHandler())  # our log lines are for applications
    open_missing_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # metrics may contain characters that stdout's encoding lacks
    try:
        try:
            return _subcommand(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            sys.stdout.flush()  # here, where a failure has a status, not at the interpreter's exit
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader has closed the pipe
        discard(sys.stdout)
        return _INTERRUPTED
    except OSError as error:
        if error.filename is not None:  # it is not about the output
            raise
        discard(sys.stdout)
        with suppress(OSError):
            sys.stderr.write(f"otel-prw: cannot write its output: {error.strerror}\n")
        return _OUTPUT_FAILED


def _subcommand(given: Sequence[str]) -> int:
    parser = Parser(
        prog="otel-prw",
        description="Run, check and watch metrics that are pushed by Remote Write.",
        epilog="example: otel-prw check --help",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version(DISTRIBUTION)}")
    commands = parser.add_subparsers(metavar="command")
    chosen = next((word for word in given if not word.startswith("-")), "")
    if chosen and chosen not in SUBCOMMANDS:
        _refuse_command(parser, chosen)
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
    if not hasattr(parsed, "parser"):
        parser.error(f"the command is missing: {_COMMANDS}")
    if unknown:
        _refuse(parsed.parser, unknown[0])
    return int(parsed.run(parsed))


def _refuse_command(parser: Parser, word: str) -> NoReturn:
    close = get_close_matches(word, SUBCOMMANDS, n=1)
    parser.error(f"{word[:40]!r} is not a command: " + (f"did you mean {close[0]}?" if close else _COMMANDS))


def _refuse(parser: Parser, word: str) -> NoReturn:
    flag = word.partition("=")[0]
    if flag in parser.flags:
        parser.error(f"{flag} goes after the command: {parser.prog} {flag}")
    names = {known.lstrip("-"): known for known in parser.flags}
    close = get_close_matches(flag.lstrip("-"), names, n=1) if flag.startswith("-") else []
    parser.error(f"{flag} is not an argument" + (f"; did you mean {names[close[0]]}?" if close else ""))


if __name__ == "__main__":
    sys.exit(main())
