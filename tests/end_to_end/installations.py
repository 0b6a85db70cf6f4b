"""What is installed where an application runs: OpenTelemetry alone, our package, and another distro to compete with."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution, distributions, version
from pathlib import Path

import pytest

from tests.servers.file_lock import locked

CHECKOUT = Path(__file__).resolve().parents[2]
KEPT = CHECKOUT / ".venv-plain"
OLDEST = (
    ["--constraint", str(Path(sys.prefix, "constraints.txt"))] if Path(sys.prefix, "constraints.txt").exists() else []
)
DOCKERFILE = CHECKOUT / "examples" / "kubernetes" / "operator" / "Dockerfile"

LAUNCHER = int(version("opentelemetry-instrumentation").split(".")[1].partition("b")[0])
"""The N of its version 0.N."""

instruments_children = pytest.mark.skipif(
    LAUNCHER < 63,
    reason="this launcher leaves programs alone that the application starts: 0.63 does not",
)


def package(folder: Path) -> Path:
    """Install the wheel of the checkout into a folder, alone."""
    _pip("install", "--no-deps", "--target", str(folder / "installed"), str(_wheel(folder)))
    return folder / "installed"


def injected(folder: Path, *options: str, extras: str = "") -> Path:
    """Install into a folder what the Dockerfile of the Operator's example does, with the wheel of the checkout.

    With the oldest packages the versions are those, and not the Dockerfile's.

    Args:
        folder: Gets a folder autoinstrumentation.
        options: Of pip, to install for another platform than this one.
        extras: What the build argument of the same name holds.
    """
    (words,) = re.findall(r'^ARG PACKAGES="(.*?)"$', DOCKERFILE.read_text(), re.MULTILINE | re.DOTALL)
    checkout, *packages = words.replace("\\\n", " ").split()
    if checkout != "/exporter":
        raise RuntimeError(f"{DOCKERFILE} does not install the checkout first")
    if OLDEST:
        packages = [package.partition("==")[0] for package in packages]
    target = ["--target", str(folder / "autoinstrumentation"), *options]
    wheel = str(_wheel(folder))
    _pip("install", *target, wheel, *packages, *([f"{wheel}[{extras}]"] if extras else []), *OLDEST)
    return folder / "autoinstrumentation"


def plain_python(installed: Path, *more: str) -> Path:
    """Return the interpreter of a virtual environment that has what a package needs, and neither it nor another distro.

    Args:
        installed: The folder with the package.
        more: Further packages.
    """
    (found,) = distributions(path=[str(installed)])
    needs = sorted(need for need in found.requires or [] if "extra ==" not in need)
    return python_with(*needs, *more, *OLDEST)


def free_threaded_python(base: Path, installed: Path) -> Path:
    """Return such an interpreter of a free-threaded build; without snappy, whose engine may have no wheel for it.

    Args:
        base: The build.
        installed: The folder with the package.
    """
    (found,) = distributions(path=[str(installed)])
    needs = sorted(need for need in found.requires or [] if "extra ==" not in need and "snappy" not in need)
    return python_with(*needs, base=base)


def python_with(*needs: str, base: Path | None = None) -> Path:
    """Return the interpreter of a virtual environment that has these packages; it is made once and kept.

    Args:
        needs: The packages.
        base: The interpreter that the virtual environment is made with; this one if not given.
    """
    key = hashlib.sha256(
        "\n".join([sys.version, sys.prefix, *([str(base)] if base else []), *needs]).encode()
    ).hexdigest()[:12]
    folder = KEPT / key
    KEPT.mkdir(exist_ok=True)
    with locked(KEPT / f"{key}.lock"):
        if not (folder / "ready").exists():
            subprocess.run([base or sys.executable, "-m", "venv", "--without-pip", "--clear", folder], check=True)
            _pip("--python", str(folder / "bin" / "python"), "install", *needs)
            (folder / "ready").touch()
    return folder / "bin" / "python"


def stock_distro(folder: Path) -> Path:
    """Copy opentelemetry-distro, which the tests' environment has, into a folder of its own."""
    for file in distribution("opentelemetry-distro").files or []:
        if ".." not in file.parts and file.suffix != ".pyc":
            target = folder.joinpath(*file.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), target)
    return folder


def foreign_distro(folder: Path) -> Path:
    """Write a distro named acme, with a configurator, that says so when it is used."""
    metadata = folder / "acme-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[opentelemetry_distro]\nacme = acme:Distro\n[opentelemetry_configurator]\nacme = acme:Configurator\n"
    )
    (folder / "acme.py").write_text(
        "from opentelemetry.instrumentation.distro import BaseDistro\n"
        "from opentelemetry.sdk._configuration import _OTelSDKConfigurator\n\n"
        "class Distro(BaseDistro):\n"
        "    def _configure(self, **kwargs):\n"
        "        print('distro acme')\n\n"
        "class Configurator(_OTelSDKConfigurator):\n"
        "    def _configure(self, **kwargs):\n"
        "        print('configurator acme')\n"
        "        super()._configure(**kwargs)\n"
    )
    return folder


def _wheel(folder: Path) -> Path:
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "dist"), str(CHECKOUT))
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def _pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pip {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
