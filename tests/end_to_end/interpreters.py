"""The CPythons of this machine, with which an injected application may run."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tests.end_to_end.installations import CHECKOUT

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@cache
def supported() -> dict[str, Path]:
    """Those from 3.10 up, by version."""
    listed = subprocess.run([CHECKOUT / ".ci" / "pythons"], capture_output=True, text=True, check=True).stdout.split()
    return {_version(Path(python)): Path(python) for python in listed}


@cache
def too_old() -> dict[str, Path]:
    """Those from 3.8 up to 3.9, by version."""
    places = [shutil.which(name) for name in ("python3.8", "python3.9")]
    places += map(str, _pyenv_versions().glob("3.[89].*/bin/python"))
    return {_version(Path(place)): Path(place) for place in filter(None, places) if _version(Path(place))}


@cache
def free_threaded() -> dict[str, Path]:
    """Free-threaded builds from 3.13t up, by version: on PATH, or the newest of each in pyenv."""
    places = [shutil.which(f"python{version}") for version in ("3.13t", "3.14t", "3.15t")]
    places += map(str, sorted(_pyenv_versions().glob("3.1[345].*t/bin/python")))
    return {_version(Path(place)): Path(place) for place in filter(None, places)}


def imports_protobuf(python: str) -> bool:
    """Return whether a Python of this version can import the protobuf of this run: before 5.27 not from 3.14 on."""
    return _numbers(version("protobuf")) >= (5, 27) or _numbers(python) < (3, 14)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")[:2]))


def of_everybody() -> Path | None:
    """One of the supported that another user, too, can run: not in a home; it imports the protobuf of this run."""
    system = [Path(place) for place in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(place).exists()]
    found = {python: version for version, python in supported().items()} | {place: _version(place) for place in system}
    everywhere = [python for python, its in found.items() if its and _numbers(its) >= (3, 10) and imports_protobuf(its)]
    return next((python for python in everywhere if _may_be_run_by_all(python.resolve())), None)


def virtual_environment(python: Path, folder: Path) -> Path:
    """Make a virtual environment without pip, as an application's image would have; return its interpreter."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


def _pyenv_versions() -> Path:
    """The folder of pyenv's versions; one that is not there, where there is no pyenv."""
    pyenv = shutil.which("pyenv")
    root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip() if pyenv else ""
    return Path(root or "/nonexistent", "versions")


def _version(python: Path) -> str:
    show = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", show], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _may_be_run_by_all(python: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (python, *python.parents))
