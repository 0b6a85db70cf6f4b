"""One request out: in the version that the receiver speaks, taken apart if it is refused as a whole, or given up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from math import ceil

from ..configuration.settings import PREFIX
from ..encoding.compression import Compress
from ..encoding.downgrade import downgraded
from ..encoding.parts import Parts, parts
from ..errors import Cause, Rejected, Retryable, SendError, Unsupported
from ..messages.own_logger import OwnLogger
from ..messages.text import plural
from ..model.outcome import Outcome
from ..model.request import PROTOCOL_1, PROTOCOL_2, Request
from .accounting import Accounting
from .bad_series import BadSeries, Bisection
from .exchange import Exchange, OverRateLimit
from .negotiation import Negotiation, shortfall
from .size_limits import ALL_BATCHES, SizeLimits
from .tally import Tally
from .window import Window

_logger = OwnLogger(__name__)

_REFUSALS_TO_FIND_BAD_SERIES = 100
_REFUSED_FOR_SOME_SERIES = {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT}  # the second is Thanos'


class Sender:
    """Sends requests, from several threads at once.

    Args:
        exchange: Sends one until its answer is final.
        tally: Where outcomes of samples are counted.
        may_fall_back: Whether to fall back to 1.0 if the receiver does not speak 2.0.
        compress: Compresses a message into a body.
        clock: Monotonic seconds.

    Attributes:
        protocol: The newest version that the receiver may still speak.
    """

    def __init__(
        self,
        exchange: Exchange,
        tally: Tally,
        *,
        may_fall_back: bool,
        compress: Compress,
        clock: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._tally = tally
        self._may_fall_back = may_fall_back
        self._compress = compress
        self._negotiation = Negotiation()
        self._accounting = Accounting(tally)
        self._bad_series = BadSeries(clock)
        self._size_limits = SizeLimits(clock)
        self._lock = threading.Lock()
        self._continues_with = ""
        self.protocol = PROTOCOL_2

    def tries_protocol(self, request: Request) -> bool:
        """Return whether the answer to a request will show which version the receiver speaks."""
        is_open = self._may_fall_back and self.protocol == PROTOCOL_2 and not self._negotiation.confirmed
        return is_open and request.protocol == PROTOCOL_2

    def send(self, request: Request, window: Window) -> list[Request]:
        """Send a request.

        Args:
            request: What to send.
            window: Until when.

        Returns:
            What is to be sent again later; empty if everything has an outcome.
        """
        try:
            return self._send(request, window)
        except (MemoryError, OSError) as error:  # the request is not at fault, and there may be memory again
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            self._tally.note(Retryable(f"the process could not make or send a request ({reason})"))
            return [request]
        except Exception as error:  # noqa: BLE001 - a bug of ours must neither raise nor repeat the request
            self._tally.count(Outcome.FAULT, request)
            lost = f"{request.size} {plural(request.size, 'sample')} dropped"
            message = f"{lost}: internal exporter error ({type(error).__name__})"
            self._tally.note(SendError(message, cause=Cause.INTERNAL))
            return []

    def _send(self, request: Request, window: Window) -> list[Request]:
        if request.protocol == PROTOCOL_2 and self.protocol == PROTOCOL_1:
            request = downgraded(request, self._compress, gives_way=window.gives_way)
        left: list[Request] = []
        for part, is_held_apart in self._divided(request, window):
            left += [part] if left else self._send_part(part, window, is_held_apart=is_held_apart)
        return left

    def _divided(self, request: Request, window: Window) -> list[tuple[Request, bool]]:
        """Return a request in parts that the receiver accepts, as far as is known, and one of the series it refuses."""
        held = self._bad_series.held(request.batch)
        most = min(self._size_limits.most(batch, request.size) for batch in (request.batch, ALL_BATCHES))
        if not held and most >= request.size:
            return [(request, False)]
        content = parts(request, gives_way=window.gives_way)
        labels = content.labels()
        between = content.time_slice.between
        good = [position for position, each in enumerate(between(labels)) if each not in held]
        bad = [position for position, each in enumerate(between(labels)) if each in held]
        bad.sort(key=lambda position: held[labels[position]])
        requests = ceil(request.size / most) if most < request.size else 1
        groups = [(group, False) for group in _equal_groups(good, requests)]
        return [(content.only(group, self._compress), is_bad) for group, is_bad in [*groups, (bad, True)] if group]

    def _send_part(
        self, request: Request, window: Window, *, is_held_apart: bool, is_whole: bool = True
    ) -> list[Request]:
        try:
            self._deliver(request, window, may_be_smaller=is_whole)
        except Unsupported as error:
            return self._fall_back(request, error, window)
        except Rejected as error:
            is_hopeless = not is_held_apart and self._bad_series.is_hopeless(request.batch)
            if not is_hopeless and (_is_too_large(request, error) or _is_for_some_series(request, error)):
                return self._take_apart(request, error, window, is_held_apart=is_held_apart)
            self._accounting.reject(request, error)
        except OverRateLimit:
            return self._send_smaller(request, window, is_held_apart=is_held_apart)
        except SendError as error:
            self._tally.note(error)
            return [request]
        else:
            if is_held_apart:
                self._bad_series.release(request.batch, parts(request, gives_way=window.gives_way).labels())
        return []

    def _deliver(self, request: Request, window: Window, *, may_be_smaller: bool = False) -> None:
        """Send a request, and count it if it is accepted."""
        try:
            answer = self._exchange.send(request, window, may_be_smaller=may_be_smaller)
        except Rejected as error:
            if self._negotiation.refused_protocol(request, error):
                raise Unsupported(str(error)) from None
            raise
        if not self._negotiation.understood(request, answer.headers):
            raise Unsupported(f"the receiver answered {answer.status} without confirming what it wrote")
        self._accounting.accept(request, answer, gives_way=window.gives_way)

    def _fall_back(self, request: Request, error: Unsupported, window: Window) -> list[Request]:
        if not self._may_fall_back:
            self._accounting.reject(request, error)
            return []
        if self._switch_to_1():
            _logger.info("The receiver does not speak Remote Write 2.0 (%s): continuing with 1.0", error)
        return self._send(request, window)

    def _switch_to_1(self) -> bool:
        """Use 1.0 from now on; return whether that is a change."""
        with self._lock:
            is_change, self.protocol = self.protocol != PROTOCOL_1, PROTOCOL_1
        return is_change

    def _send_smaller(self, request: Request, window: Window, *, is_held_apart: bool) -> list[Request]:
        """Halve a request that alone exceeds the receiver's rate limit; or send it without metadata, if that helps.

        The limit may change, so each export goes down only one step. The limit is a tenant's, so what has passed is
        remembered for all requests.
        """
        content = parts(request, gives_way=window.gives_way)
        series = len(content.series)
        if (left := self._send_without_metadata(request, window, is_single=series == 1)) is not None:
            return left
        if series == 1:
            return self._send_part(request, window, is_held_apart=is_held_apart, is_whole=False)
        left = []
        for half in (range(series // 2), range(series // 2, series)):
            part = content.only(half, self._compress)
            remains = [part] if left else self._send_part(part, window, is_held_apart=is_held_apart, is_whole=False)
            if not remains:
                self._size_limits.note(ALL_BATCHES, ceil(request.size / 2))
            left += remains
        return left

    def _send_without_metadata(self, request: Request, window: Window, *, is_single: bool) -> list[Request] | None:
        """Send as 1.0 what the receiver's rate limit refuses as 2.0, and log it if that passes.

        Returns:
            What is to be sent again later; None if this does not help.
        """
        if request.protocol != PROTOCOL_2 or not self._may_fall_back:
            return None
        try:
            smaller = downgraded(request, self._compress, gives_way=window.gives_way)
            self._deliver(smaller, window.without_retries())
        except SendError as failure:
            if not is_single:
                return None
            self._tally.note(failure)
            return [request]
        if not is_single:
            self._size_limits.note(ALL_BATCHES, ceil(request.size / 2))
            self._warn_that_metadata_counts(f"smaller requests of 2.0 ({PREFIX}PROTOCOL=1.0 lets them be whole)")
        elif self._switch_to_1():
            self._warn_that_metadata_counts("1.0")
        return []

    def _warn_that_metadata_counts(self, way: str) -> None:
        with self._lock:
            is_change, self._continues_with = self._continues_with != way, way
        if is_change:
            _logger.warning(
                "The receiver's rate limit accepts 1.0 but refuses 2.0, whose metadata it counts: continuing with %s",
                way,
            )

    def _take_apart(self, request: Request, error: Rejected, window: Window, *, is_held_apart: bool) -> list[Request]:
        """Deliver the acceptable part of a request that was refused as a whole.

        Either it was too large, and its halves may not be, or it holds bad series, for which a receiver of 1.0 drops
        the good ones, too. Series that are refused by themselves are held apart, so that the next request is accepted
        at once.
        """
        content = parts(request, gives_way=window.gives_way)
        is_too_large = _is_too_large(request, error)
        most = len(content.series) if is_too_large else _REFUSALS_TO_FIND_BAD_SERIES
        bisection = Bisection(len(content.series), most, may_be_hopeless=not is_held_apart)
        largest = 0
        left: list[Request] = []
        while group := bisection.next():
            part = content.only(group, self._compress)
            try:
                self._deliver(part, window)
            except Rejected as refusal:
                if _is_too_large(part, refusal) or _is_for_some_series(part, refusal):
                    bisection.refused(group)
                else:  # for a reason that no smaller part avoids
                    self._accounting.reject(part, refusal)
            except SendError as failure:  # there is no final answer yet
                rest = content.only([*group, *bisection.untried()], self._compress)
                left = self._leave(rest, failure, window)
                break
            else:
                bisection.accepted()
                largest = max(largest, part.size)
                if is_held_apart:
                    labels = content.labels()
                    self._bad_series.release(request.batch, [labels[position] for position in group])
        self._reject_found(bisection, content, error)
        if is_too_large and largest and not bisection.alone:
            self._size_limits.note(request.batch, largest)
        return left

    def _leave(self, rest: Request, failure: SendError, window: Window) -> list[Request]:
        """Leave untried series to a later export, or to the other version."""
        if isinstance(failure, Unsupported):
            return self._fall_back(rest, failure, window)
        self._tally.note(failure)
        return [rest]

    def _reject_found(self, bisection: Bisection, content: Parts, error: Rejected) -> None:
        if bisection.is_hopeless:
            self._bad_series.give_up(content.request.batch)
        elif bisection.alone:
            labels = content.labels()
            bad = [labels[position] for position in bisection.alone]
            is_known = self._bad_series.held(content.request.batch)
            self._tally.blame(each for each in bad if each not in is_known)
            self._bad_series.hold_apart(content.request.batch, bad)
        refused = [*bisection.alone, *bisection.given_up]
        if refused or not content.series:
            self._accounting.reject(content.only(refused, self._compress), error)


def _equal_groups(positions: Sequence[int], groups: int) -> Iterator[Sequence[int]]:
    """Yield positions in at most so many groups of the same length, the last one excepted."""
    length = ceil(len(positions) / groups) or 1
    for start in range(0, len(positions), length):
        yield positions[start : start + length]


def _is_for_some_series(request: Request, error: Rejected) -> bool:
    """Return whether a receiver of 1.0 has refused the whole request because of some of its series."""
    return request.protocol == PROTOCOL_1 and error.status in _REFUSED_FOR_SOME_SERIES


def _is_too_large(request: Request, error: Rejected) -> bool:
    if error.cause is not Cause.TOO_LARGE:
        return False
    # A receiver of 2.0 that has written part of a request means that something else is too large.
    missing = shortfall(request, error.headers)
    return request.protocol == PROTOCOL_1 or missing.samples + missing.histograms == request.size
