"""The exit status of an application that was interrupted."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress


def keep_interrupt_status() -> None:
    """Make sure that a process ended by Ctrl-C still dies of SIGINT; called after an export at exit.

    Python records whether the last source text that it ran ended with ``KeyboardInterrupt``, and checks that after the
    exit handlers. Defining a named tuple or a data class also runs source text, and the last export may be the first to
    import some.
    """
    is_exit = not threading.main_thread().is_alive()
    is_interactive = hasattr(sys, "ps1") or sys.flags.interactive or sys.flags.inspect
    if is_exit and not is_interactive and getattr(sys, "last_type", None) is KeyboardInterrupt:
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - see above
