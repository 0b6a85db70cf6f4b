"""A program to run under auto-instrumentation: its flags, its environment and its start.

Every setting of the exporter is a flag here. A flag becomes its variable, so that the program and its child processes
are configured as under the launcher.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from argparse import REMAINDER, SUPPRESS, ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from opentelemetry.environment_variables import OTEL_METRICS_EXPORTER
from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_CONFIGURATOR, OTEL_PYTHON_DISTRO

from opentelemetry.exporter.prometheus_remote_write.configuration.number_types import BOOLEAN, TIMEOUT
from opentelemetry.exporter.prometheus_remote_write.configuration.row import Row
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import rows, variable
from opentelemetry.exporter.prometheus_remote_write.configuration.text_types import (
    HEADERS,
    PARAMETERS,
    PROXIES,
    SECRET,
    TOKEN,
    URL,
)
from opentelemetry_prometheus_remote_write import NAME
from opentelemetry_prometheus_remote_write.command_line import parsed_milliseconds
from opentelemetry_prometheus_remote_write.exporter_names import chosen_exporters
from opentelemetry_prometheus_remote_write.output import complain

_LAUNCHER = "opentelemetry.instrumentation.auto_instrumentation"
_SECRET_NAME = re.compile("auth|token|secret|passw|cookie|key|sig|credential", re.IGNORECASE)
_CREDENTIALS = re.compile(r"\s*(?:basic|bearer|token|apikey|digest|negotiate)\s", re.IGNORECASE)
_IN_THE_OPEN = "every user of this machine could read it in the process list"
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit statuses, as a shell defines them."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare a flag for each setting, and the program and its arguments."""
    parser.usage = "%(prog)s [--FLAG ...] -- COMMAND ARG ..."
    group = parser.add_argument_group("settings", "Each sets the variable of the same name, and overrides it.")
    for name, row in rows().items():
        flag = f"--{row.variable.lower().replace('_', '-')}"
        doc = _help(row)
        if row.type is BOOLEAN:
            group.add_argument(flag, dest=name, action=BooleanOptionalAction, default=None, help=doc)
        elif row.type is HEADERS:
            flag, doc = (
                flag.removesuffix("s"),
                "header of every request, not percent-encoded; may be given several times",
            )
            group.add_argument(flag, dest=name, action="append", metavar="K=V", type=_header, help=doc)
        elif row.type in (SECRET, TOKEN, PARAMETERS):
            group.add_argument(flag, dest=name, type=_refused(name), help=SUPPRESS)
        else:
            group.add_argument(flag, dest=name, metavar=_metavar(row), type=_text(name, row), help=doc)
    parser.add_argument("program", nargs=REMAINDER, metavar="-- COMMAND ARG ...", help="the program and its arguments")


def command(arguments: Namespace) -> list[str]:
    """Return the program and its arguments; exit with a message if there is none."""
    words: list[str] = arguments.program
    program = words[1:] if words[:1] == ["--"] else words
    if not program:
        arguments.parser.error("the program is missing: write it after --, as in -- python app.py")
    return program


def given_settings(arguments: Namespace) -> dict[str, str]:
    """Return the variables that the flags set."""
    texts = {}
    for name, row in rows().items():
        value = getattr(arguments, name)
        if value is None:
            continue
        if row.type is BOOLEAN:
            texts[variable(name)] = str(value).lower()
        elif row.type is HEADERS:
            texts[variable(name)] = ",".join(value)
        else:
            texts[variable(name)] = value
    return texts


def instrumentation(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """Return the variables under which a Python program instruments itself, with our distro and configurator.

    Args:
        environ: The environment; a distro or configurator that it names is kept.
        folder: The working folder, which the launcher makes importable for programs such as Django's; may be empty.
    """
    names = (OTEL_PYTHON_DISTRO, OTEL_PYTHON_CONFIGURATOR)
    chosen = {name: NAME for name in names if not environ.get(name, "").strip()}
    launcher = _launcher_folder()
    path = [each for each in environ.get("PYTHONPATH", "").split(os.pathsep) if each not in {"", launcher}]
    first = [launcher] if folder in {"", *path} else [launcher, folder]
    return {**chosen, "PYTHONPATH": os.pathsep.join([*first, *path])}


def working_folder() -> str:
    """Return the working folder, or an empty string if it has been removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def kept(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable of the environment that may send metrics elsewhere."""
    for name in (OTEL_PYTHON_DISTRO, OTEL_PYTHON_CONFIGURATOR):
        if (text := environ.get(name, "").strip()) not in {"", NAME}:
            yield f"{name}={text} is kept; ours is {NAME}"
    exporters = environ.get(OTEL_METRICS_EXPORTER, "").strip()
    if exporters and NAME not in map(str.strip, chosen_exporters(exporters)):
        yield f"{OTEL_METRICS_EXPORTER}={exporters} is kept, so metrics do not go out by Remote Write ({NAME})"


def executable(name: str, environ: Mapping[str, str]) -> str | int:
    """Return the path of a program; if it cannot be run, print why and return the exit status."""
    path = shutil.which(name, path=environ.get("PATH", os.defpath))
    if path:
        return path
    found = os.path.exists(name) if os.path.dirname(name) else False  # noqa: PTH110, PTH120 - a name, not a path yet
    complain(f"otel-prw: {name} {'cannot be executed' if found else 'is not found'}\n")
    return NOT_EXECUTABLE if found else NOT_FOUND


def execute(path: str, words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Become the program, which inherits everything except the signals that Python ignores.

    Args:
        path: The program's file.
        words: Its command line, starting with its name.
        environ: Its environment.

    Returns:
        The exit status if the system refuses to execute it; the reason has been printed.
    """
    for name in ("SIGPIPE", "SIGXFSZ"):
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(path, list(words), dict(environ))  # noqa: S606 - no shell is wanted
    except OSError as error:
        complain(f"otel-prw: {words[0]} cannot be executed: {error.strerror}\n")
    return NOT_EXECUTABLE


def _launcher_folder() -> str:
    spec = find_spec(_LAUNCHER)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{_LAUNCHER} is not installed")
    return str(Path(spec.origin).parent)


def _help(row: Row) -> str:
    doc, _, _ = row.doc.partition(". The keyword")
    is_told = row.type is not BOOLEAN and row.default != "-"
    default = f"{int(row.default) / 1000:g}s" if _is_duration(row) and row.default.isdecimal() else row.default
    return (f"{doc} (default: {default})" if is_told else doc).replace("`", "").replace("%", "%%")


def _metavar(row: Row) -> str:
    if _is_duration(row):
        return "5s"
    return row.type.name.upper().replace(" ", "-") if row.type.name.isalpha() else "VALUE"


def _is_duration(row: Row) -> bool:
    return row.type is TIMEOUT or row.type.name == "milliseconds"


def _text(name: str, row: Row) -> Callable[[str], str]:
    """Return the function that turns a flag's text into the variable's."""

    def read(text: str) -> str:
        if row.type in (URL, PROXIES):
            _check_url(text, name)
        stripped = str(parsed_milliseconds(text)) if _is_duration(row) else text.strip()
        if not stripped:
            raise ArgumentTypeError("must not be empty")
        try:
            row.type.parse(stripped)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None
        return stripped

    return read


def _check_url(text: str, name: str) -> None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return  # only its type is that
    if "@" in parts.netloc or any(_SECRET_NAME.search(key) for key, _ in parse_qsl(parts.query)):
        raise ArgumentTypeError(f"is refused with a secret in it: {_IN_THE_OPEN}; set {variable(name)} instead")


def _refused(name: str) -> Callable[[str], str]:
    alternative = f"{name}_file"
    file = f", or name a file by --{alternative.replace('_', '-')}" if alternative in rows() else ""

    def refuse(_text: str) -> str:
        raise ArgumentTypeError(f"is refused: {_IN_THE_OPEN}; set {variable(name)} instead{file}")

    return refuse


def _header(text: str) -> str:
    """Return a header in the variable's encoding."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ArgumentTypeError(f"{name[:40]!r} has no value: write name=value")
    if _SECRET_NAME.search(name) or _CREDENTIALS.match(value):
        raise ArgumentTypeError(f"{name[:40]} is refused: {_IN_THE_OPEN}; set {variable('headers')} instead")
    try:
        HEADERS.accept({name.strip(): value.strip()})
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return f"{name.strip()}={quote(value.strip(), safe='/:@ ')}"
