"""The exit status of an application that was interrupted."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress


def keep_interrupt_status() -> None:
    """Have a process that Ctrl-C ends die of SIGINT still; to be called when an export at its exit is over.

    Python notes whether the last source text that was run was ended by ``KeyboardInterrupt``, and looks at that after
    the exit handlers. Text is also run by each named tuple and data class that a module makes, and the last export may
    be the first to import some.
    """
    is_exit = not threading.main_thread().is_alive()
    is_interactive = hasattr(sys, "ps1") or sys.flags.interactive or sys.flags.inspect
    if is_exit and not is_interactive and getattr(sys, "last_type", None) is KeyboardInterrupt:
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - see above
