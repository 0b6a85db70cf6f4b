"""SIGTERM with its default action ends a process without the interpreter's exit, and so without the last interval.

That is how Kubernetes and most supervisors end one. Under the launcher the last interval is sent before; the process
then dies of the same signal. An application's own handler is left alone, whether it was there before or comes later.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from opentelemetry.exporter.prometheus_remote_write.lifecycle.ending import flush, pushers


def flush_on_sigterm() -> None:
    """Have SIGTERM flush first, where there is something to flush and the action is the default; nothing is raised."""
    try:
        if pushers() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _flush_and_die)
    except ValueError:
        return  # only the main thread can set handlers; no launcher configures from another one


def _flush_and_die(number: int, _frame: FrameType | None) -> None:
    """Flush in another thread: this one may have been stopped while it held a lock that is needed for it.

    So it waits half of the time at most, and then goes on, to let go of the lock. A second signal ends all at once.
    """
    signal.signal(number, signal.SIG_DFL)
    ours = pushers()
    seconds = max((pusher.exit_time.left for pusher in ours), default=0.0)

    def flush_all() -> None:
        for pusher in ours:
            flush(pusher)

    flushing = threading.Thread(target=flush_all, name="prometheus-remote-write-sigterm", daemon=True)

    def die() -> None:
        flushing.join(seconds)
        os.kill(os.getpid(), number)

    dying = threading.Thread(target=die, name="prometheus-remote-write-sigterm", daemon=True)
    try:
        flushing.start()
        dying.start()
    except RuntimeError:  # the interpreter is at its exit, where the SDK flushes
        os.kill(os.getpid(), number)
    dying.join(seconds / 2)
    # Still alive: the flush takes its time; or this is process 1 of a container, which a default action does not end.
    if not dying.is_alive():
        signal.signal(number, _flush_and_die)
