"""How much of a request was accepted, according to the answer."""

from __future__ import annotations

import threading
from http import HTTPStatus

from ..configuration.settings import PREFIX
from ..errors import Cause, Rejected, Unsupported
from ..messages.own_logger import OwnLogger
from ..model.outcome import Outcome
from ..model.request import PROTOCOL_2, Request
from ..model.transport import Response
from .negotiation import counts_written, shortfall
from .tally import Tally
from .unwritten import unwritten

_logger = OwnLogger(__name__)

_MAY_STORE_SOME = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
_NO_EXEMPLARS = (
    "The receiver does not count exemplars as written: if it stores none, set %sDISABLE_EXEMPLARS=true to send none"
)
_NO_TARGET_INFO = (
    "The receiver does not count target_info as written, like the OpenTelemetry Collector, which makes it the resource "
    "and drops classic histograms: if there are any, set %sCONVERT_HISTOGRAMS_TO_NHCB=true"
)


class Accounting:
    """Counts the samples of requests with a final answer; used by several threads at once.

    Args:
        tally: Where they are counted.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._lock = threading.Lock()
        self._logged: set[str] = set()

    def accept(self, request: Request, answer: Response, *, gives_way: bool = False) -> None:
        """Count a request that was answered 2xx; in 2.0 the answer says how much was written."""
        lost = self._lost(request, answer, gives_way=gives_way) if request.protocol == PROTOCOL_2 else 0
        self._tally.count_parts(request, lost)

    def reject(self, request: Request, error: Rejected | Unsupported) -> None:
        """Count a request that was refused for good; a receiver of 2.0 may have kept the good part."""
        self._tally.note(error)
        rejected = request.size
        if request.protocol == PROTOCOL_2 and isinstance(error, Rejected):
            missing = shortfall(request, error.headers)
            rejected = missing.samples + missing.histograms
            # The counts in a refusal are only a claim: some receivers report none, or all, whatever they kept.
            is_for_some = error.status in _MAY_STORE_SOME and error.cause is not Cause.TOO_LARGE and request.size > 1
            if is_for_some and rejected in {0, request.size} and counts_written(error.headers):
                self._tally.count(Outcome.UNKNOWN, request)
                return
        self._tally.count_parts(request, rejected)

    def _lost(self, request: Request, answer: Response, *, gives_way: bool) -> int:
        """Return how many samples of an accepted request are lost, and say why."""
        missing = shortfall(request, answer.headers)
        if not any(missing):
            return 0
        lost = unwritten(request, missing, gives_way=gives_way)
        if lost.samples:
            self._tally.note(lost.error(missing, answer.status))
        else:
            self._warn_once(_NO_EXEMPLARS if lost.cause is Cause.EXEMPLARS else _NO_TARGET_INFO)
        return lost.samples

    def _warn_once(self, message: str) -> None:
        with self._lock:
            is_new = message not in self._logged
            self._logged.add(message)
        if is_new:
            _logger.warning(message, PREFIX)
