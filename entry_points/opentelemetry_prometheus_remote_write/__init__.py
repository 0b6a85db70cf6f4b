"""The plug: one module per entry-point group, and the command `otel-prw`.

The launcher loads the modules of the distro and of the configurator in processes that export no metrics, or export them
elsewhere. So neither imports anything of the library before the exporter is made, nor the one the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

NAME = "prometheus_remote_write"
"""Our name in every group of entry points, and so in the variables of OpenTelemetry that choose among them."""

DISTRIBUTION = "opentelemetry-exporter-prometheus-remote-write"
"""The name under which pip knows what holds this package and the library."""


def is_own_command(words: Sequence[str]) -> bool:
    """Return whether a process is the command itself, which has no metrics of its own to push.

    Args:
        words: How the process was started, its interpreter first (``sys.orig_argv``).
    """
    script = len(words) > 1 and words[1].replace("\\", "/").rpartition("/")[2].removesuffix(".exe") == "otel-prw"
    return script or any(pair == ("-m", __name__) for pair in pairwise(words))
