"""The data path of an exporter that may not have sent anything yet: the first export imports and creates it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from .configuration.settings import Settings
from .delivery.window import Window
from .lifecycle.gevent_patches import are_half_applied
from .lifecycle.late_imports import import_for_all_exports
from .lifecycle.needed_imports import NeededImports
from .messages.own_logger import OwnLogger
from .model.transport import BaseTransport
from .translation.dropped_points import DroppedPoints

if TYPE_CHECKING:
    from .data_path import DataPath

_logger = OwnLogger(__name__)


class LateDataPath:
    """Creates the data path when it is needed. Until then there is nothing to interrupt, renew or close.

    Args:
        settings: The exporter's.
        dropped: Where dropped points are counted.
        transport: Carries requests; None is HTTP.
        began: When the exporter was made, in nanoseconds since the epoch.
        resources_as_labels: Whether every resource attribute is copied onto every series.

    Attributes:
        made: The data path; None before the first export.
    """

    def __init__(
        self,
        settings: Settings,
        dropped: DroppedPoints,
        transport: BaseTransport | None,
        *,
        began: int,
        resources_as_labels: bool,
    ) -> None:
        self._settings = settings
        self._dropped = dropped
        self._transport = transport
        self._resources_as_labels = resources_as_labels
        self._began = began
        self._imports = NeededImports()
        self._has_advised = False
        self.made: DataPath | None = None

    def ready(self, *, at_exit: bool = False) -> DataPath | None:
        """Return the data path, created now if necessary; None if that is impossible, which is logged once.

        Args:
            at_exit: Whether no further export follows that might need more.
        """
        if self.made is None and not self._imports.are_impossible:
            with self._imports.attempt():
                from .data_path import DataPath  # noqa: PLC0415 - late, see there

                if not at_exit:
                    import_for_all_exports()
                self.made = DataPath(
                    self._settings,
                    self._dropped,
                    self._transport,
                    began=self._began,
                    resources_as_labels=self._resources_as_labels,
                )
        if not self._has_advised and are_half_applied():
            self._has_advised = True
            _logger.warning(
                "gevent's patches are half applied: urllib3 was imported before them, so HTTPS may fail with "
                "RecursionError; set OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH=patch_all to have them "
                "applied first"
            )
        return self.made

    def renew(self) -> None:
        """Start afresh after a fault, because the kept state may be inconsistent."""
        if self.made:
            self.made.renew()

    def cut_short(self, end: float) -> None:
        """Make the export in progress end by some time of the monotonic clock."""
        if self.made:
            self.made.delivery.cut_short(end)

    def interrupt(self) -> None:
        """End the export in progress and its requests; none begins until :meth:`resume`."""
        if self.made:
            self.made.delivery.cut_short(-math.inf)
            self.made.transport.interrupt()

    def resume(self) -> None:
        """End the interruption."""
        if self.made:
            self.made.transport.resume()
            self.made.delivery.resume()

    def end_series(self, end: float, *, leaves_shared: bool) -> bool:
        """Mark every series as stale, if that is enabled, and release its place under the series limit.

        Args:
            end: The deadline for the receiver's answer, by the monotonic clock.
            leaves_shared: Whether another process continues the series that several share.

        Returns:
            Whether the receiver accepted the stale markers.
        """
        return not self.made or self.made.end_series(Window(end, end, is_last=True), leaves_shared=leaves_shared)

    def give_up(self) -> None:
        """Give up the backlog; no further attempt begins."""
        if self.made:
            self.made.delivery.close()

    def close(self) -> None:
        """Close the connections."""
        if self.made:
            self.made.transport.close()

    def after_fork(self) -> None:
        """Replace what a forked child cannot share with its parent."""
        self._began = time.time_ns()
        if self.made:
            self.made.after_fork()
