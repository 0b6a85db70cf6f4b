"""What happens before and after gevent patches the standard library.

A thread that started before the patches is not a greenlet. While it imports a module, the application's import of the
same module fails, because the main greenlet would wait for a lock that no greenlet holds. So the patching thread itself
imports what the first export needs, right after the patches and before the application continues.

Patches also rename the thread that makes them. A package that patches while it is imported (as locust's does) holds the
lock of its own import under the old name, and would wait for itself. gevent hands these locks over where there is no
other thread; here is one, so this module does it.
"""

from __future__ import annotations

import importlib
import threading
from contextlib import suppress

from .controller import Controller
from .gevent_patches import begin_patching, end_patching
from .late_imports import import_now, wait_for_import
from .sdk_internals import readers


def will_patch() -> None:
    """Prevent imports until the patches are done."""
    begin_patching()
    wait_for_import()
    _patching[:] = [threading.get_ident()]


def did_patch() -> None:
    """Hand over locks, import what is needed, and make threads of forked children start after gevent's own handler."""
    with suppress(Exception):
        _hand_over_imports(_patching[0], threading.get_ident())
    import_now()
    end_patching(_start_threads)


_patching: list[int] = []
"""The name of the thread that patches, as it was before."""


def _hand_over_imports(old: int, new: int) -> None:
    """Give the locks of imports in progress to the new name of the thread that holds them."""
    for reference in tuple(vars(importlib._bootstrap)["_module_locks"].values()):  # noqa: SLF001 - as gevent does
        lock = reference()
        if lock is not None and lock.owner == old:
            lock.owner = new


def _start_threads() -> None:
    for reader in readers():
        if isinstance(reader, Controller):
            with suppress(Exception):
                reader.start_late()
