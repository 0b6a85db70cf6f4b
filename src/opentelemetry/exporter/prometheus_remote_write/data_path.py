"""The data path of one exporter: translation, encoding, delivery and transport, put together.

The first export imports it, and with it HTTP, protobuf and snappy. Earlier, every process under the launcher would pay
for them at its start, gevent has to patch before they are imported, and a module of the application may shadow one that
they import.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics.export import MetricsData

from .configuration.settings import Settings
from .delivery.delivery import Delivery
from .delivery.window import Window
from .encoding.compression import compressor
from .lifecycle.instance_id import writer
from .model.outcome import Outcome
from .model.request import PROTOCOL_1, PROTOCOL_2
from .model.transport import BaseTransport
from .pipeline import Pipeline
from .translation.dropped_points import DroppedPoints
from .transport.pool import Transport
from .version import USER_AGENT

if TYPE_CHECKING:
    from .prometheus_client.source import Collected


class DataPath:
    """Sends export after export, in the protocol version that the receiver has confirmed.

    Args:
        settings: The exporter's.
        dropped: Where dropped points are counted.
        transport: Carries requests; None is HTTP.
        began: When the exporter was created, in nanoseconds since the epoch.
        resources_as_labels: Whether every resource attribute is copied onto every series.

    Attributes:
        delivery: With the outcomes of samples, counted.
        transport: Carries requests.
        pipeline: For the current protocol version.
    """

    def __init__(
        self,
        settings: Settings,
        dropped: DroppedPoints,
        transport: BaseTransport | None = None,
        *,
        began: int,
        resources_as_labels: bool = False,
    ) -> None:
        self._settings = settings
        self._dropped = dropped
        self._resources_as_labels = resources_as_labels
        self._compress = compressor()
        self.transport = transport or Transport(settings, environ=os.environ, user_agent=USER_AGENT)
        self.delivery = Delivery(self.transport, settings, self._compress)
        protocol = PROTOCOL_1 if settings.protocol == PROTOCOL_1 else PROTOCOL_2
        self.pipeline = self._new_pipeline(protocol, began)

    def send(self, metrics_data: MetricsData, collected: Collected | None, window: Window) -> bool:
        """Translate, encode and deliver an export, and adapt to what delivery has learnt about the receiver.

        Args:
            metrics_data: What the SDK collected.
            collected: What was collected from prometheus_client, if that is pushed, too.
            window: How long it may take.

        Returns:
            Whether the receiver accepted all of it, and everything that was waiting before it.
        """
        if self._settings.buffer_directory:
            self.delivery.writes_as(writer(metrics_data))
        requests = self.pipeline.requests(metrics_data, collected, gives_way=window.gives_way)
        size = sum(request.size for request in requests)
        not_kept = self.delivery.samples[Outcome.NOT_KEPT]
        try:
            return self.delivery.deliver(requests, window)
        finally:
            self.pipeline.end_export(lost=self.delivery.samples[Outcome.NOT_KEPT] - not_kept == size)
            self._heed_receiver(gives_way=window.gives_way)

    def end_series(self, window: Window, *, leaves_shared: bool) -> bool:
        """Mark every series as stale, if that is enabled, and release its place under the series limit.

        Args:
            window: How long it may take.
            leaves_shared: Whether another process continues the series that several share.

        Returns:
            Whether the receiver accepted the stale markers.
        """
        if leaves_shared:
            self.pipeline.leave_shared()
        requests = self.pipeline.ends()
        accepted = self.delivery.deliver(requests, window) if requests else True
        self.pipeline.release()
        return accepted

    def renew(self) -> None:
        """Start afresh after a fault, because the kept state may be inconsistent."""
        self._replace_pipeline(self.pipeline.protocol)

    def after_fork(self) -> None:
        """Remake what a forked child cannot share with its parent."""
        self.transport.after_fork()
        self.delivery.after_fork()
        self.delivery = Delivery(self.transport, self._settings, self._compress)
        self.pipeline = self._new_pipeline(self.pipeline.protocol)

    def _new_pipeline(self, protocol: str, began: int | None = None) -> Pipeline:
        return Pipeline(
            self._settings,
            self._dropped,
            self._compress,
            protocol=protocol,
            max_samples=self._settings.max_samples_per_send,
            began=began,
            resources_as_labels=self._resources_as_labels,
        )

    def _replace_pipeline(self, protocol: str) -> None:
        # Now, not when it is garbage collected: its successor claims the same series.
        self.pipeline.detach()
        self.pipeline = self._new_pipeline(protocol)

    def _heed_receiver(self, *, gives_way: bool) -> None:
        before = self.pipeline
        protocol = min(before.protocol, self.delivery.protocol)
        if protocol != before.protocol:
            self._replace_pipeline(protocol)
            self.pipeline.take_over(before, gives_way=gives_way)
