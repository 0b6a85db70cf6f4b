"""The controller as the SDK builds it under the launcher: found by its name among the exporters, without arguments.

Only from 1.35 on can the SDK pass arguments to it, and a later version may do that in another way.
"""

from __future__ import annotations

from typing import Any, ClassVar

from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller


class LaunchedController(Controller):
    """A controller whose arguments the configurator has prepared."""

    arguments: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__(**self.arguments)
