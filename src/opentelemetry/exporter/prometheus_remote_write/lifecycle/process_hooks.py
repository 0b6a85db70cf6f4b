"""The calls to an exporter around forks and at exit."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from .uwsgi_embeds import uwsgi_may_embed


class Hooked(Protocol):
    """The object that is called."""

    def before_fork(self) -> None:
        """Prepare for a fork."""

    def after_fork(self) -> None:
        """Replace what a forked child cannot share with its parent."""

    def at_exit(self) -> None:
        """Note that the exit begins."""


class ProcessHooks:
    """Calls an object, without keeping it alive, until released.

    Args:
        hooked: The object that is called; at forks from now on.
    """

    def __init__(self, hooked: Hooked) -> None:
        self._hooked = weakref.ref(hooked)
        self._exit_handler: Callable[[], None] | None = None
        _forking.add(hooked)
        _handle_forks()

    def watch_exit(self) -> None:
        """Call it at exit from now on: handlers registered late run early, here before the SDK's own shutdown."""
        if self._exit_handler:
            return
        reference = self._hooked

        def handler() -> None:
            if hooked := reference():
                hooked.at_exit()

        self._exit_handler = atexit.register(handler)

    def release(self) -> None:
        """Stop calling, and leave nothing behind."""
        if hooked := self._hooked():
            _forking.discard(hooked)
        if self._exit_handler:
            atexit.unregister(self._exit_handler)
            self._exit_handler = None


_forking: weakref.WeakSet[Hooked] = weakref.WeakSet()
_handles_forks = False


def _handle_forks() -> None:
    """Register the fork handlers once for all hooks, because fork handlers cannot be unregistered."""
    global _handles_forks  # noqa: PLW0603 - see above
    if not _handles_forks and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_forks, after_in_child=_forked)
        _handles_forks = True
        if uwsgi_may_embed():
            from .uwsgi import run_hooks_in_workers  # noqa: PLC0415 - only there

            run_hooks_in_workers()


def _forks() -> None:
    for hooked in tuple(_forking):
        with suppress(Exception):
            hooked.before_fork()


def _forked() -> None:
    if uwsgi_may_embed():
        from .uwsgi import worker_starts  # noqa: PLC0415 - only there

        worker_starts()
    for hooked in tuple(_forking):
        with suppress(Exception):  # a failure of one must not break another
            hooked.after_fork()
    if uwsgi_may_embed():
        from .uwsgi import worker_begins  # noqa: PLC0415 - as above

        worker_begins()
