"""The virtual environments of what is compared: ours as a user installs it, and each peer apart.

The predecessor has our import path, so it cannot be installed beside us. The SDK is of the same version everywhere.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from importlib.metadata import version

from tests.benchmarks.exporters import OTLP, OURS_1, OURS_2, PREDECESSOR
from tests.benchmarks.interpreter import CHECKOUT

_SDK = version("opentelemetry-sdk")
_RELEASE = version("opentelemetry-instrumentation")  # of the packages that are released with it
_WEB = f"uvicorn=={version('uvicorn')}"  # what an asyncio application runs under

_OURS = ("bench", ["--editable", str(CHECKOUT), "prometheus-client", _WEB])
_INSTALLED = {
    OURS_1: _OURS,
    OURS_2: _OURS,
    OTLP: ("otlp", [f"opentelemetry-exporter-otlp-proto-http=={_SDK}", f"opentelemetry-distro=={_RELEASE}", _WEB]),
    PREDECESSOR: ("predecessor", ["opentelemetry-exporter-prometheus-remote-write==0.66b1"]),
}


def pythons() -> dict[str, str]:
    """Return the interpreter of each exporter's environment, making those that are missing or out of date."""
    return {name: _python(*installed) for name, installed in _INSTALLED.items()}


def _python(name: str, requirements: list[str]) -> str:
    folder = CHECKOUT / f".venv-{name}"
    python = folder / "bin" / "python"
    requirements = [*requirements, f"opentelemetry-sdk=={_SDK}"]
    ready = folder / ".ready"
    state = "\n".join([sys.version, *requirements])
    if "--editable" in requirements:
        state += (CHECKOUT / "pyproject.toml").read_text()  # dependencies and entry points
    if not ready.exists() or ready.read_text() != state:
        print(f"Setting up {folder.name}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([python, "-m", "pip", "install", *quiet, *requirements], check=True)
        ready.write_text(state)
    return str(python)
