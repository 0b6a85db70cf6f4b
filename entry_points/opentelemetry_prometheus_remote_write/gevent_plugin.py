"""The functions that gevent calls before and after it patches the standard library.

An exporter that was created earlier has to know; without one, nothing is imported. Nothing is raised into gevent.
"""

from __future__ import annotations

import sys
from contextlib import suppress

_CONTROLLER = "opentelemetry.exporter.prometheus_remote_write.lifecycle.controller"


def will_patch_all(_event: object) -> None:
    """Note that gevent is about to patch."""
    with suppress(Exception):
        if _CONTROLLER in sys.modules:
            from opentelemetry.exporter.prometheus_remote_write.lifecycle import gevent_plugin  # noqa: PLC0415 - see above

            gevent_plugin.will_patch()


def did_patch_all(_event: object) -> None:
    """Note that gevent has patched."""
    with suppress(Exception):
        if _CONTROLLER in sys.modules:
            from opentelemetry.exporter.prometheus_remote_write.lifecycle import gevent_plugin  # noqa: PLC0415 - see above

            gevent_plugin.did_patch()
