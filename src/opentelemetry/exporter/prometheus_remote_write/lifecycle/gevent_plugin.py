"""What gevent tells before and after it patches the standard library.

A thread that was there before is no greenlet, and while it imports a module, the application's import of the same one
fails: the main greenlet would wait for a lock that no greenlet holds. So what the first export needs is imported where
gevent has just patched, by the thread that patches, before the application goes on.
"""

from __future__ import annotations

from contextlib import suppress

from .controller import Controller
from .gevent_patches import begin_patching, end_patching
from .late_imports import import_now, wait_for_import
from .sdk_internals import readers


def will_patch() -> None:
    """Have nothing imported in the meantime."""
    begin_patching()
    wait_for_import()


def did_patch() -> None:
    """Import what is needed, and have threads of forked children start after gevent has dealt with the fork."""
    import_now()
    end_patching(_start_threads)


def _start_threads() -> None:
    for reader in readers():
        if isinstance(reader, Controller):
            with suppress(Exception):
                reader.start_late()
