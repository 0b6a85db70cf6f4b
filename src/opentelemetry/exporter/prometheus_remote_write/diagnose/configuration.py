"""The settings that are not at their default, where each comes from, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..configuration.loading import Problem, load
from ..configuration.number_types import BOOLEAN, BOUNDARIES, TIMEOUT
from ..configuration.row import Row
from ..configuration.setting_type import SettingType
from ..configuration.settings import Settings, rows, variable
from ..configuration.text_types import HEADERS, LABELS, NAMES, PATH, PROXIES
from ..delivery.disk_buffer.buffer_folder import BufferFolder
from ..errors import Unsendable
from ..messages.secret import Secret
from ..messages.shown import shown_path, shown_url
from ..transport.mounted_file import content, secret_file
from .finding import Finding, failure, ok, warning

_UNKNOWN = "is not a variable of this exporter"  # as loading says it


class Configuration(NamedTuple):
    """The configuration that the exporter would have.

    Args:
        settings: As the exporter reads them.
        problems: What is wrong with them.
        keywords: From a declarative file, if there is one.
    """

    settings: Settings
    problems: list[Problem]
    keywords: Mapping[str, Any]


def configuration(keywords: Mapping[str, Any], environ: Mapping[str, str]) -> Configuration:
    """Read the settings as the exporter does.

    Args:
        keywords: Those of a declarative file.
        environ: The environment.

    Raises:
        ValueError: A keyword has a wrong value; the text says which and what is wrong, never a secret.
        TypeError: A keyword is unknown or of a wrong type.
    """
    settings, problems = load(keywords, environ)
    return Configuration(settings, problems, keywords)


def findings(given: Configuration, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each setting that is not at its default, and for every problem.

    Args:
        given: The configuration.
        environ: The environment, to tell where a setting comes from.
    """
    default = Settings()
    for name, row in rows().items():
        value = getattr(given.settings, name)
        origin = _origin(name, row, given.keywords, environ)
        if value != getattr(default, name) and origin:
            yield _setting(name, row, value, origin)
    for problem in given.problems:
        yield _problem(problem)


def wrong_keyword(error: Exception) -> Finding:
    """Return the finding for an argument in a declarative file that the exporter refuses."""
    return failure("file-argument", f"the exporter in the declarative file: {error}", "correct that line of the file")


def _origin(name: str, row: Row, keywords: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    mapping, _, key = row.keyword.partition(".")
    if mapping in keywords and (not key or key in (keywords[mapping] or {})):
        return "the declarative file"
    if environ.get(variable(name), "").strip():
        return variable(name)
    return "the URL" if name in {"username", "password"} else ""


def _setting(name: str, row: Row, value: Any, origin: str) -> Finding:
    if name.endswith("_file"):
        return _secret_file(name, value, origin)
    if name == "buffer_directory" and (fault := _folder_fault(Path(value))):
        text = f"{_path(value)} (from {origin}) cannot be used: {fault}; what waits is lost when the process ends"
        return warning("buffer-directory", text, "name a folder that only this user can write to")
    return ok(name, f"{_shown(name, row, value)} (from {origin})")


def _folder_fault(folder: Path) -> str:
    """Return why nothing can be kept in a folder, or in one that is made there; nothing is written to find out."""
    try:
        if os.path.lexists(folder):
            BufferFolder(str(folder), "", 0).check()
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        if not there.is_dir():
            return f"{_path(str(there))} is not a folder"
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(there, os.W_OK | os.X_OK) else f"this user cannot write to {_path(str(there))}"


def _secret_file(name: str, path: str, origin: str) -> Finding:
    try:
        size = len(content(variable(name), path))
        secret_file(variable(name), path).current()
    except Unsendable as error:
        return failure("secret-file", f"{error}; nothing is sent", "mount a file that this user can read")
    return ok(name, f"set (from file {_path(path)}, {size} bytes; from {origin})")


def _shown(name: str, row: Row, value: Any) -> str:
    """Return a value as it may be shown: of a secret only its size."""
    if name == "endpoint":
        return shown_url(value)
    if row.type in _BY_TYPE:
        return _BY_TYPE[row.type](value)
    if isinstance(value, Secret):
        return f"set ({len(value.reveal().encode())} bytes)"
    if row.secret:
        return "set"
    return f"{value} ms" if row.type.name == "milliseconds" else str(value)


def _path(path: str) -> str:
    """Return a path, unless it may be a pasted secret."""
    shown = shown_path(path)
    return path if shown == repr(path) else shown


_BY_TYPE: Mapping[SettingType[Any], Callable[[Any], str]] = {
    HEADERS: lambda value: ", ".join(f"{name}: set ({len(text.encode())} bytes)" for name, text in value.items()),
    PROXIES: lambda value: ", ".join(sorted({shown_url(url) for url in value.values()})),
    LABELS: lambda value: ",".join(f"{name}={text}" for name, text in value.items()),
    NAMES: ",".join,
    BOUNDARIES: lambda value: ",".join(f"{number:g}" for number in value),
    PATH: _path,
    BOOLEAN: lambda value: str(value).lower(),
    TIMEOUT: lambda value: f"{value:g} s",
}


def _problem(problem: Problem) -> Finding:
    text, _, meant = problem.message.partition("; did you mean ")
    if text.endswith(_UNKNOWN):
        cure = f"write {meant.rstrip('?')}" if meant else "see the list of settings in the README"
        return warning("unknown-variable", text, cure)
    if problem.fatal:
        return failure("setting", problem.message, "correct it: nothing is sent until then")
    return warning("setting", problem.message, "correct it, or unset it")
