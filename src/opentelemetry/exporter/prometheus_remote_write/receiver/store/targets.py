"""Who sends: jobs and instances, how often they push, and what they say of themselves."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median

from ...model.remote_write import Labels
from .stored_series import StoredTarget

_MOST_TARGETS = 1000
_KEPT_ROUNDS = 6
_STEPS_MISSED = 3


class KnownSender:
    """A job's instance.

    Attributes:
        rounds: The timestamps of its last exports, in milliseconds since the epoch.
        heard: When it pushed last, in seconds of the store's clock.
        pushes: How many pushes had something of it.
        info: The labels of its ``target_info``.
    """

    def __init__(self, target: StoredTarget) -> None:
        self.target = target
        self.rounds: deque[int] = deque(maxlen=_KEPT_ROUNDS)
        self.heard = 0.0
        self.pushes = 0
        self.info: Labels = ()

    @property
    def interval(self) -> int | None:
        """Milliseconds between two exports; None before the second."""
        times = list(self.rounds)
        steps = [after - before for before, after in pairwise(times)]
        return int(median(steps)) if steps else None

    @property
    def before_last(self) -> int:
        """The timestamp of the export before the last: what is older has not been sent any more."""
        return self.rounds[-2] if len(self.rounds) > 1 else 0

    def has_stopped(self, now: float) -> bool:
        """Return whether it has missed several exports, or been silent for a minute if its interval is unknown."""
        return now - self.heard > max(_STEPS_MISSED * (self.interval or 20_000) / 1000, 5.0)


class Senders:
    """All who sent something, the last at the end; of more than a thousand, those that sent last."""

    def __init__(self) -> None:
        self._senders: dict[StoredTarget, KnownSender] = {}

    def note(self, newest: dict[StoredTarget, int], now: float) -> None:
        """Take note of a push.

        Args:
            newest: For each target in the push its newest timestamp, in milliseconds since the epoch.
            now: Seconds of the store's clock.
        """
        for target, time in newest.items():
            sender = self._senders.pop(target, None) or KnownSender(target)
            self._senders[target] = sender
            sender.heard = now
            sender.pushes += 1
            if not sender.rounds or time > sender.rounds[-1]:
                sender.rounds.append(time)
        while len(self._senders) > _MOST_TARGETS:
            del self._senders[next(iter(self._senders))]

    def get(self, target: StoredTarget) -> KnownSender | None:
        """Return a target's sender, or None if it is not known, or not any more."""
        return self._senders.get(target)

    def all(self) -> list[KnownSender]:
        """Return all, by job and instance."""
        return [self._senders[target] for target in sorted(self._senders)]

    def forget(self, before: float) -> None:
        """Forget who has not been heard since a time, in seconds of the store's clock."""
        while self._senders and (oldest := next(iter(self._senders.values()))).heard < before:
            del self._senders[oldest.target]

    def interval(self, now: float) -> int:
        """Return the longest interval of those that push, in milliseconds; 1000 while none is known.

        Where all have stopped it is the longest that they had.

        Args:
            now: Seconds of the store's clock.
        """
        known = [sender for sender in self._senders.values() if sender.interval]
        pushing = [sender for sender in known if not sender.has_stopped(now)]
        return max((sender.interval or 0 for sender in pushing or known), default=1000)
