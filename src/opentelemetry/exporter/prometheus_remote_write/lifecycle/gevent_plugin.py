"""What happens before and after gevent patches the standard library.

A thread that started before the patches is not a greenlet. While it imports a module, the application's import of the
same module fails, because the main greenlet would wait for a lock that no greenlet holds. So the patching thread itself
imports what the first export needs, right after the patches and before the application continues.
"""

from __future__ import annotations

from contextlib import suppress

from .controller import Controller
from .gevent_patches import begin_patching, end_patching
from .late_imports import import_now, wait_for_import
from .sdk_internals import readers


def will_patch() -> None:
    """Prevent imports until the patches are done."""
    begin_patching()
    wait_for_import()


def did_patch() -> None:
    """Import what is needed, and make threads of forked children start after gevent has handled the fork."""
    import_now()
    end_patching(_start_threads)


def _start_threads() -> None:
    for reader in readers():
        if isinstance(reader, Controller):
            with suppress(Exception):
                reader.start_late()
