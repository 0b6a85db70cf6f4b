"""Builds the receivers with the machine's Go, once: python -m tests.receivers.build [NAME ...].

A program whose go.mod replaces other modules cannot be installed by its path alone. So each gets a throw-away module of
its own, with the requirements, replacements and checksums of the program's, which requires the program.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.receivers.programs import PROGRAMS, VMAGENT, Program
from tests.servers.package import Package, UnavailableError

CHECKOUT = Path(__file__).resolve().parents[2]
BUILDS = CHECKOUT / ".servers" / f"go-{platform.machine()}"
_BINARY = Path("usr") / "bin"  # where a package of the system has its programs


def built(program: Program) -> Package:
    """Return the program, which has to have been built before.

    Raises:
        UnavailableError: It has not been built.
    """
    if not (_folder(program) / _BINARY / program.name).is_file():
        raise UnavailableError(f"{program.name} {program.version} is not built: make receivers")
    return _package(program)


def build(program: Program) -> Package:
    """Return the program, built now unless it was built before.

    Raises:
        UnavailableError: Go is not here, or refuses: a module is not served, or does not compile.
    """
    folder = _folder(program)
    finished = folder / _BINARY / program.name
    if finished.is_file():
        return _package(program)
    finished.parent.mkdir(parents=True, exist_ok=True)
    _write_module(program, folder)
    unfinished = folder / f"{program.name}.unfinished"
    tags = ["-tags", ",".join(program.tags)] if program.tags else []
    package = f"{program.module}/{program.package}"
    _go(program, folder, "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", *tags, "-o", unfinished.name, package)
    unfinished.rename(finished)
    return _package(program)


def _package(program: Program) -> Package:
    return Package(program.name, program.release, "Go's module proxy", _folder(program))


def _folder(program: Program) -> Path:
    return BUILDS / f"{program.name}-{program.version}"


def _write_module(program: Program, folder: Path) -> None:
    module, checksums = folder / "go.mod", folder / "go.sum"
    module.write_text("module throwaway\n")
    of_program = f"{program.module}@{program.version}"
    source = Path(json.loads(_go(program, folder, "mod", "download", "-json", of_program))["Dir"])
    module.write_bytes((source / "go.mod").read_bytes())
    checksums.write_bytes((source / "go.sum").read_bytes())
    _go(program, folder, "mod", "edit", "-module=throwaway", f"-require={of_program}")


def _go(program: Program, folder: Path, *arguments: str) -> str:
    """Run go in the folder, with the Go that the program asks for, and no C."""
    go = shutil.which("go")
    if go is None:
        raise UnavailableError("this machine has no Go to build it with")
    environment = {
        **os.environ,
        "GOTOOLCHAIN": program.toolchain,
        "GOFLAGS": "-buildvcs=false",
        "CGO_ENABLED": "0",
    }
    result = subprocess.run([go, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UnavailableError(f"go {' '.join(arguments)}: {(result.stderr or result.stdout).strip()[-2000:]}")
    return result.stdout


def main(names: list[str]) -> int:
    """Build what is named, or all receivers, and print a line for each; 1 if one could not be built."""
    missing = 0
    for program in [each for each in (*PROGRAMS, VMAGENT) if each.name in names] or PROGRAMS:
        began = time.monotonic()
        try:
            package = build(program)
        except UnavailableError as reason:
            missing += 1
            print(f"{program.name} {program.release}: cannot be built here: {reason}", flush=True)
        else:
            print(f"{program.name} {program.release}: {package.root} ({time.monotonic() - began:.0f} s)", flush=True)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
