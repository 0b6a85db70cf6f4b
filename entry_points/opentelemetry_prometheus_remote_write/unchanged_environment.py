"""The environment as the process was given it, before any distro has set something in it."""

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
    """Return the environment of this process as it was at its start, where the system tells it.

    In a pod of the Operator this very process was instrumented before it came here, and a distro has set variables.

    Args:
        environ: The environment as it is now.
        modules: Those that are imported; the launcher's among them tells that something may be set.
        file: Where Linux tells it.
    """
    if _LAUNCHER not in modules:
        return environ
    try:
        pairs = Path(file).read_bytes().split(b"\0")
    except OSError:
        return environ
    texts = (pair.decode("utf-8", "surrogateescape").partition("=") for pair in pairs if pair)
    return {name: text for name, _, text in texts} or environ
