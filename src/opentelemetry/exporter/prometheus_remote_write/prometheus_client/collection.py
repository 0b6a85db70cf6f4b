"""One collection of an application's registries, in which a bad collector costs only its own families.

A collector is code of the application or of a library: it may raise, and it may hang. So collectors are called one
after the other in a thread of their own, and one that does not answer in time is skipped until it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any, Protocol

from ..messages.own_logger import OwnLogger
from ..messages.text import error_text, one_line
from ..system.bounded_call import Waiter, bounded_call

_logger = OwnLogger(__name__)

_MOST_THREADS = 2  # of one collection: time at exit is limited
_MOST_FAMILIES = 100_000  # of a collector, which may be an endless generator
_LONGEST_MESSAGE = 300  # characters
_MESSAGES_REMEMBERED = 1000


class Collector(Protocol):
    """A source of a registry's families."""

    def collect(self) -> Iterable[Any]:
        """Return the families, each a ``Metric`` of prometheus_client."""


class Restricted:
    """A collector reduced to some of its series.

    Args:
        collector: The library's or the application's.
        names: Of the series.
    """

    def __init__(self, collector: Collector, names: AbstractSet[str]) -> None:
        self.collector = collector
        self._names = names

    def collect(self) -> Iterator[Any]:
        """Yield the families, each reduced to the wanted series."""
        for family in self.collector.collect():
            if restricted := family._restricted_metric(self._names):  # noqa: SLF001 - the library has no public way
                yield restricted


class _Run:
    """A run over collectors, one after the other, in one thread."""

    def __init__(self, collectors: Sequence[Collector]) -> None:
        self.families: list[Any] = []
        self.failed: list[tuple[Collector, BaseException]] = []
        self.done = 0
        self.has_begun = False
        self.has_ended = False
        self._collectors = collectors
        self._is_passed = False
        self._is_abandoned = False

    def __call__(self) -> None:
        if self.has_ended or self._is_abandoned:  # the caller that has not seen its end calls it again
            return
        self.has_begun = True
        for collector in self._collectors:
            families: list[Any] = []
            try:
                for family in collector.collect():
                    if self._is_abandoned:
                        break
                    if len(families) >= _MOST_FAMILIES:
                        raise OverflowError(f"it returns more than {_MOST_FAMILIES} families")  # noqa: TRY301 - handled as its own
                    families.append(family)
            except BaseException as error:  # noqa: BLE001 - whatever it is, even SystemExit, the others are called
                self.failed.append((collector, error))
                families = []
            if self._is_abandoned:
                break
            self.families += families
            self.done += 1
            if self._is_passed:
                break
        self.has_ended = True

    @property
    def asked(self) -> Collector | None:
        """The collector that is being called."""
        return self._collectors[self.done] if self.has_begun and self.done < len(self._collectors) else None

    def pass_over(self) -> Sequence[Collector]:
        """Make the thread end after its current collector; return those that follow it."""
        self._is_passed = True
        return self._collectors[self.done + 1 :]

    def abandon(self) -> None:
        """Make the thread end after its current collector, or after the next family of it."""
        self._is_abandoned = True


class Collection:
    """Collects again and again, and remembers which collectors hang.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By identity, because collectors may be equal or unhashable. Each is kept alive, so that its id stays unique.
        self._hanging: dict[int, tuple[Collector, _Run]] = {}
        self._logged: dict[tuple[int, str], Collector] = {}
        self._waiter = Waiter()
        self._is_interrupted = False

    def interrupt(self) -> None:
        """End the collection in progress with what there is; later ones are not affected."""
        self._is_interrupted = True
        self._waiter.end()

    def collect(self, collectors: Sequence[Collector], seconds: float) -> list[Any]:
        """Return the families of some collectors; raise nothing.

        Args:
            collectors: In the order in which to call them.
            seconds: How long that may take.
        """
        end = self._clock() + seconds
        self._hanging = {key: (collector, run) for key, (collector, run) in self._hanging.items() if not run.has_ended}
        waiting: Sequence[Collector] = [each for each in collectors if id(each) not in self._hanging]
        self._is_interrupted = False
        runs: list[_Run] = []
        while waiting and len(runs) < _MOST_THREADS and not self._is_interrupted:
            runs.append(run := _Run(waiting))
            try:
                waiting = [] if self._gets_to_its_end(run, end) else run.pass_over()
            except (MemoryError, RuntimeError) as why:  # no thread can be started, which is no collector's fault
                self._warn_once(waiting[0], type(why), f"and those after it were not collected ({error_text(why)})")
                break
        for run in runs:
            self._end(run, end, seconds)
        return [family for run in runs for family in run.families]

    def _gets_to_its_end(self, run: _Run, end: float) -> bool:
        """Wait for a run while it progresses: a collector that takes half of the time left blocks no others."""
        done = -1
        while done < run.done:
            done = run.done
            if self._ends(run, (end - self._clock()) / 2):
                return True
        return False

    def _end(self, run: _Run, end: float, seconds: float) -> None:
        with suppress(MemoryError, RuntimeError):
            if not self._ends(run, end - self._clock()):
                run.abandon()
        for collector, error in run.failed:
            self._warn_once(collector, type(error), f"failed ({error_text(error)})")
        if not run.has_ended and (hanging := run.asked):
            self._hanging[id(hanging)] = hanging, run
            if not self._is_interrupted:  # otherwise it is not to blame
                what = f"did not answer within {seconds:.3g} s, and is not asked again until it does"
                self._warn_once(hanging, TimeoutError, what)

    def _ends(self, run: _Run, seconds: float) -> bool:
        """Wait for the end of a run, up to some time.

        Raises:
            MemoryError: No thread can be started.
            RuntimeError: The same.
        """
        self._waiter = Waiter()
        if not (run.has_ended or self._is_interrupted):  # now, so that no interruption is missed
            with suppress(TimeoutError):
                bounded_call(run, run, max(seconds, 0.0), self._waiter)
        return run.has_ended

    def _warn_once(self, collector: Collector, kind: type[BaseException], what: str) -> None:
        """Warn once for each collector and kind of error, because its text may differ each time."""
        key = id(collector), kind.__name__
        if key not in self._logged and len(self._logged) < _MESSAGES_REMEMBERED:
            self._logged[key] = collector  # kept alive, so that its id stays unique
            named = collector.collector if isinstance(collector, Restricted) else collector
            message = one_line(f"{type(named).__qualname__} {what}", _LONGEST_MESSAGE)
            _logger.warning("prometheus_client: collector %s. Its metrics are not sent. Logged once.", message)
