"""What a receiver of 2.0 did not write although it answered 2xx: it says how much, and that is seldom a loss.

The OpenTelemetry Collector's receiver turns ``target_info`` into the resource's attributes and does not count it; it
counts no exemplars; and it drops classic histograms, which it mentions only in its own log.
"""

from __future__ import annotations

from typing import NamedTuple

from ..encoding.parts import parts
from ..errors import Cause, Rejected
from ..model.remote_write import METRIC_NAME, MetricType
from ..model.request import Request
from .negotiation import Shortfall

_TARGET_INFO = "target_info"


class Unwritten(NamedTuple):
    """The part of a request that was not written.

    Args:
        samples: How many samples and histograms are lost.
        cause: Why, as far as their number shows.
    """

    samples: int
    cause: Cause

    def error(self, shortfall: Shortfall, status: int) -> Rejected:
        """Return the error that says so."""
        return Rejected(
            f"the receiver answered {status}, but did not write {shortfall}", status=status, cause=self.cause
        )


def unwritten(request: Request, shortfall: Shortfall, *, gives_way: bool = False) -> Unwritten:
    """Return how much of a shortfall is lost.

    Args:
        request: Of 2.0; it was answered 2xx.
        shortfall: How much of it was not counted as written.
        gives_way: Whether it yields the GIL between series. Not if somebody waits for its end.
    """
    missing = shortfall.samples + shortfall.histograms
    if shortfall.exemplars not in {0, request.exemplars} or shortfall.histograms:
        return Unwritten(missing, Cause.NOT_WRITTEN)
    if not missing:
        return Unwritten(0, Cause.EXEMPLARS)
    info = classic = 0
    content = parts(request, gives_way=gives_way)
    for series in content.messages():
        if (METRIC_NAME, _TARGET_INFO) in content.labels_of(series):
            info += len(series.samples)
        elif series.metadata.type == MetricType.HISTOGRAM:
            classic += len(series.samples)
    if missing == info:
        return Unwritten(0, Cause.NOT_WRITTEN)
    if classic and missing in {classic, classic + info}:
        return Unwritten(classic, Cause.CLASSIC_HISTOGRAMS)
    return Unwritten(missing, Cause.NOT_WRITTEN)
