"""Generate the protobuf modules of the folder proto: `python -m tests.proto.protoc`, or `make proto`.

protoc lives in an environment of its own, `.venv-protoc`, made on first use from the dependency group `protoc`: it is
older than the protobuf runtime of the development environment, on purpose (pyproject.toml says why).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = CHECKOUT / "src"
PACKAGE = Path("opentelemetry/exporter/prometheus_remote_write/proto")
PROTOS = ("write_v1.proto", "write_v2.proto")
ENVIRONMENT = CHECKOUT / ".venv-protoc"


class NoProtocError(Exception):
    """The environment with protoc cannot be made here; the text says why, in one line."""


def protoc() -> Path:
    """Return the interpreter of the environment that has protoc, making the environment where it is missing."""
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        _run(sys.executable, "-m", "venv", "--upgrade-deps", str(ENVIRONMENT))
    # Fetches nothing where the group is installed already, and fails at once where this Python has no wheel of it.
    _run(str(python), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--group", "pyproject.toml:protoc")
    return python


def generate(into: Path) -> list[Path]:
    """Write the modules and their stubs below a folder, which must exist, and return their paths relative to it."""
    subprocess.run(
        [
            *(str(protoc()), "-W", "ignore", "-m", "grpc_tools.protoc"),
            *(f"--proto_path={SOURCES}", f"--python_out={into}", f"--pyi_out={into}"),
            *(str(SOURCES / PACKAGE / name) for name in PROTOS),
        ],
        check=True,
    )
    stems = [name.removesuffix(".proto") for name in PROTOS]
    return [PACKAGE / f"{stem}_pb2.{suffix}" for stem in stems for suffix in ("py", "pyi")]


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise NoProtocError(f"{' '.join(command[1:3])}: {lines[-1]}")


if __name__ == "__main__":
    for path in generate(SOURCES):
        print(path)
