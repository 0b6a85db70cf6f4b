"""A Python that most likely lacks this package, and so pushes nothing: a command installed apart may meet one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from opentelemetry_prometheus_remote_write.output import complain

_PYTHON = re.compile(r"python(3(\.[0-9]+)?)?t?")
_PACKAGE = "opentelemetry_prometheus_remote_write"
_INSTALLED = "opentelemetry_exporter_prometheus_remote_write-*.dist-info"
_SCRIPT = b"#!"


def lacks_this_package(program: str, environ: Mapping[str, str], ours: str = sys.executable) -> bool:
    """Return whether a program is a Python interpreter in which this package is not installed, as far as files tell.

    Where they leave a doubt, it is not: a script may stand for an interpreter, and some take packages from elsewhere.

    Args:
        program: The program's path.
        environ: Its environment.
        ours: The interpreter of this process.
    """
    path = Path(program)
    if not _PYTHON.fullmatch(path.name):
        return False
    try:
        folder = path.parent.resolve()
        if folder == Path(ours).parent.resolve() or _may_be_another(path, folder.parent):
            return False
        on_path = filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))
        if any((Path(each) / _PACKAGE).is_dir() for each in on_path):
            return False
        return not any(next(place.glob(_INSTALLED), None) for place in _places(folder.parent))
    except (OSError, RuntimeError):  # a file cannot be read; a loop of links; no home
        return False


def warn_if_lacking(command: str, program: str, environ: Mapping[str, str]) -> None:
    """Print a line if a program most likely lacks this package.

    Args:
        command: The subcommand that runs it.
        program: The program's path.
        environ: Its environment.
    """
    if lacks_this_package(program, environ):
        complain(
            f"otel-prw {command}: {program} seems to lack this package, and then pushes nothing: install it there, or "
            f"use {sys.executable}\n"
        )


def _may_be_another(path: Path, prefix: Path) -> bool:
    """Return whether an interpreter is a script in front of one, or takes the packages of another one, too."""
    with path.open("rb") as file:
        if file.read(len(_SCRIPT)) == _SCRIPT:
            return True
    virtual = prefix / "pyvenv.cfg"
    return virtual.exists() and bool(re.search(r"system-site-packages\s*=\s*true", virtual.read_text(), re.IGNORECASE))


def _places(prefix: Path) -> Iterator[Path]:
    """Yield the folders of packages, of any version: the interpreter's, the administrator's and the user's."""
    for root in (prefix / "lib", prefix / "lib64", prefix / "local" / "lib", Path.home() / ".local" / "lib"):
        yield from root.glob("python3*/*-packages")
