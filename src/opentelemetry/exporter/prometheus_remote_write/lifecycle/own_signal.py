"""A process that sends itself a signal with its default action dies without the interpreter's exit: it exports first.

So ends a program whose own handler has cleaned up and then puts the default action back, for its parent to see what it
died of: Twisted's reactor, and whoever follows that custom of Unix.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from .ending import export_and_go_on, pushers

_ENDING = {getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)}
"""Signals that ask a process to end; the others with such an action tell of a fault."""


def flush_before_own_signal() -> None:
    """Make this process and its forked children flush before they end themselves by a signal; raise nothing."""
    if not hasattr(os.kill, "__wrapped__"):
        os.kill = _flushing_first(os.kill, "os", _sent_to_itself)
    if not hasattr(signal.raise_signal, "__wrapped__"):
        signal.raise_signal = _flushing_first(signal.raise_signal, "signal", lambda number: number)


def _sent_to_itself(process: int, number: int) -> int:
    return number if process == os.getpid() else 0


def _flushing_first(send: Callable[..., Any], module: str, own: Callable[..., int]) -> Callable[..., Any]:
    """Wrap a function that sends a signal.

    Args:
        send: The function.
        module: Where it is found, also by pickle.
        own: Returns the signal that this process sends itself, of the function's arguments; otherwise 0.
    """

    @wraps(send)
    def flushing_first(*arguments: Any) -> Any:
        with suppress(BaseException):  # also what a signal handler of the application raises
            if (number := own(*arguments)) in _ENDING and signal.getsignal(number) is signal.SIG_DFL:
                export_and_go_on(
                    pusher for pusher in pushers() if pusher.flushes_before_os_exit and not pusher.exit_time.has_begun
                )
        return send(*arguments)

    flushing_first.__module__ = module
    return flushing_first
