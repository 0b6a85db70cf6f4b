"""The environment that the process started with, before any distro changed it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_LAUNCHER = "opentelemetry.instrumentation.auto_instrumentation"


def unchanged_environment(
    environ: Mapping[str, str] = os.environ,
    modules: Mapping[str, object] = sys.modules,
    file: str = "/proc/self/environ",
) -> Mapping[str, str]:
    """Return the environment that this process started with, if the system reports it.

    In a pod of the Operator this process is itself instrumented, so a distro may have set variables already.

    Args:
        environ: The current environment.
        modules: The imported modules; if the launcher's is among them, variables may have been set.
        file: The file in which Linux reports the initial environment.
    """
    if _LAUNCHER not in modules:
        return environ
    try:
        pairs = Path(file).read_bytes().split(b"\0")
    except OSError:
        return environ
    texts = (pair.decode("utf-8", "surrogateescape").partition("=") for pair in pairs if pair)
    return {name: text for name, _, text in texts} or environ
