"""Debian's CPython where it was unpacked: with the C library beside it, for the machine's is too old for it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.servers.apt import run
from tests.servers.package import Package

_WHEELS = "/usr/share/python-wheels/"  # where Debian's ensurepip finds pip


def make_it_run_where_it_is(home: Path, version: str, patchelf: Package) -> None:
    """Write into the interpreter where its own libraries are, and into its settings where pip is.

    Nothing has to be in the environment for that, so the programs that it starts have the machine's libraries.

    Args:
        home: The folder into which it and all that it needs were unpacked.
        version: Such as 3.14.
        patchelf: The program that changes a binary.
    """
    (loader,) = home.glob("usr/lib*/ld-linux*")
    (libraries,) = {found.parent for found in home.glob("usr/lib/*/libc.so.6")}
    python = home / "usr" / "bin" / f"python{version}"
    found = ["--set-interpreter", str(loader), "--force-rpath", "--set-rpath", str(libraries)]
    run([str(patchelf.path("usr/bin/patchelf")), *found, str(python)], {**os.environ, **patchelf.environment})
    for settings in home.glob(f"usr/lib/python{version}/_sysconfigdata_*.py"):
        settings.write_text(settings.read_text().replace(f"'{_WHEELS}'", f"'{home}{_WHEELS}'"))
    run([str(python), "-c", "import ssl, ctypes, sqlite3, venv, ensurepip"])
