"""The exports of one exporter, created when first needed, because every process under the launcher creates an exporter.

Their modules are imported then: by the first export, by the gradual imports before it, or in a forked child.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .configuration.sdk_variables import wants_self_metrics
from .configuration.settings import Settings
from .lifecycle.birth import Birth
from .lifecycle.exit_time import ExitTime
from .lifecycle.gevent_patches import has_green_threads
from .lifecycle.needed_imports import NeededImports
from .lifecycle.sdk_internals import renew_after_fork
from .lifecycle.undisturbed import undisturbed
from .lifecycle.uwsgi_embeds import uwsgi_may_embed
from .messages.own_logger import OwnLogger
from .system.bounded_call import bounded_call

if TYPE_CHECKING:
    from .exports import Exports
    from .model.transport import BaseTransport

_logger = OwnLogger(__name__)

_SHORTEST, _LONGEST = 0.2, 1.0  # seconds that the end waits for an import


class LateExports:
    """Creates the exports of an exporter when they are needed, as if they had existed from the start.

    Args:
        exporter: Whose readers request exports.
        settings: The exporter's.
        transport: Carries requests; None is HTTP.
        resources_as_labels: Whether every resource attribute is copied onto every series.
        environ: The environment.

    Attributes:
        made: The exports; None until they are needed.
        exit_time: How much time they may still add to the end of the process.
    """

    def __init__(
        self,
        exporter: object,
        settings: Settings,
        transport: BaseTransport | None,
        *,
        resources_as_labels: bool,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._exporter = exporter
        self._settings = settings
        self._transport = transport
        self._resources_as_labels = resources_as_labels
        self._birth = Birth()
        self._imports = NeededImports()
        self.made: Exports | None = None
        self.exit_time = ExitTime(settings.shutdown_timeout / 1000)
        if settings.prometheus_client or wants_self_metrics(environ) or uwsgi_may_embed():
            self.ready()

    def ready(self) -> Exports | None:
        """Return the exports, created now if necessary; None if that is impossible, which is logged once."""
        if self.made is None and not self._imports.are_impossible:
            undisturbed(self._make)
        return self.made

    def ready_at_end(self) -> Exports | None:
        """Return the exports for the last time; None where an import of theirs hangs, which is logged."""
        if has_green_threads():  # the locks of gevent's modules are not made for threads
            return self.ready()
        if self.made is None and not self._imports.are_impossible:
            try:
                bounded_call(self, self._make, min(max(self.exit_time.left, _SHORTEST), _LONGEST))
            except TimeoutError:
                self._imports.are_impossible = True
                _logger.warning("Metrics are lost: what an export needs could not be imported before the process ended")
        return self.made

    def after_fork(self) -> None:
        """Replace what a forked child cannot share with its parent."""
        if self.made is None and not self._imports.are_impossible:
            self._make()  # in this thread: no other may start while gevent handles the fork, too
        if self.made:
            self.made.after_fork()
            self.exit_time = self.made.exit_time
        else:
            renew_after_fork(self._exporter)

    def _make(self) -> None:
        with self._imports.attempt():
            from .exports import Exports  # noqa: PLC0415 - late, see there
            from .lifecycle import interrupt_status  # noqa: F401, PLC0415 - so that the end reads no file

            self.made = self.made or Exports(
                self._exporter,
                self._settings,
                self._transport,
                birth=self._birth,
                exit_time=self.exit_time,
                resources_as_labels=self._resources_as_labels,
            )
