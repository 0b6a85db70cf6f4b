"""``os.exec…`` replaces this program without any exit handlers: its last counts are exported first."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from .ending import export_and_go_on, pushers
from .sdk_internals import has_counted


def flush_before_exec() -> None:
    """Make this process flush before it becomes another program; raise nothing.

    All exec functions of :mod:`os` come down to two.
    """
    for name in ("execv", "execve"):
        function = getattr(os, name, None)
        if function and not hasattr(function, "__wrapped__"):
            setattr(os, name, _flushing_first(function, os.getpid()))


def _flushing_first(function: Callable[..., Any], process: int) -> Callable[..., Any]:
    @wraps(function)
    def flushing_first(*arguments: Any) -> Any:
        # A forked child that execs at once, as most do, has counted nothing.
        is_child = os.getpid() != process
        export_and_go_on([pusher for pusher in pushers() if not is_child or has_counted(pusher)])
        return function(*arguments)

    return flushing_first
