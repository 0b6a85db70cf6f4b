"""The plugin: one module per entry-point group, and the command `otel-prw`.

The launcher also loads the distro and the configurator in processes that export no metrics, or export them elsewhere.
So neither module imports the library, or the other module, before an exporter is created.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

NAME = "prometheus_remote_write"
"""Our name in every entry-point group, and so in the OpenTelemetry variables that choose among entry points."""

DISTRIBUTION = "opentelemetry-exporter-prometheus-remote-write"
"""The name of the distribution that contains this package and the library."""


def is_own_command(words: Sequence[str]) -> bool:
    """Return whether this process is the command itself, which has no metrics of its own to push.

    Args:
        words: The command line, starting with the interpreter (``sys.orig_argv``).
    """
    script = len(words) > 1 and words[1].replace("\\", "/").rpartition("/")[2].removesuffix(".exe") == "otel-prw"
    return script or any(pair == ("-m", __name__) for pair in pairwise(words))
