"""What is built once in a run of the tests and used by all of its workers."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.servers.file_lock import locked

_VARIABLE = "SHARED_BY_THE_TESTS"


def make() -> None:
    """Make the folder, which workers that are started later find; every user of the machine may enter it."""
    folder = Path(tempfile.mkdtemp(prefix="tests-"))
    folder.chmod(0o755)
    os.environ[_VARIABLE] = str(folder)


def remove() -> None:
    """Remove the folder and all that was built."""
    shutil.rmtree(os.environ.pop(_VARIABLE), ignore_errors=True)


def once(name: str, build: Callable[[Path], object]) -> Path:
    """Return a folder that whoever comes first has built; the others wait.

    Args:
        name: Of the folder.
        build: Fills the folder.
    """
    folder = Path(os.environ[_VARIABLE], name)
    with locked(folder.with_name(f"{name}.lock")):
        if not folder.exists():
            unfinished = folder.with_name(f"{name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            build(unfinished)
            unfinished.rename(folder)
    return folder
