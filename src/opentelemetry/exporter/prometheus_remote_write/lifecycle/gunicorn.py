"""Gunicorn workers that restore SIGTERM's default action after the fork, as uvicorn's do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any


def after_init_signals(act: Callable[[], None]) -> None:
    """Call a function once a worker has set its signal handlers; called in a forked child. Raise nothing.

    Args:
        act: Called without arguments, in the main thread.
    """
    with suppress(Exception):
        # Not imported here: only an application that has imported it can have workers.
        for worker in _with_subclasses(sys.modules["gunicorn.workers.base"].Worker):
            if "init_signals" in vars(worker):
                _wrap(worker, act)


def _with_subclasses(kind: Any) -> Iterator[Any]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _with_subclasses(subclass)


def _wrap(worker: Any, act: Callable[[], None]) -> None:
    original = worker.init_signals
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def init_signals(self: Any) -> Any:
        done = original(self)
        act()
        return done

    worker.init_signals = init_signals
