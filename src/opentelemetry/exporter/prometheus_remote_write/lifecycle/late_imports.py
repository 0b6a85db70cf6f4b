"""Imports that only the first export needs: late, in small steps, and never in the middle of a fork.

Together they take a quarter of a second of CPU time, in which the application's threads would have to share the
interpreter with them. So they are done one by one, with pauses, during the first interval; or at once before the first
fork, because otherwise every child would pay for them. A child forked while another thread imports inherits half a
module and a lock that is never released: so a fork waits for the import in progress.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

from ..system.bounded_call import bounded_call
from ..system.fork_pause import ForkPause
from .gevent_patches import has_green_threads, is_patching

_PACKAGE = __package__.rpartition(".")[0]
EXPORTS = f"{_PACKAGE}.exports"
DATA_PATH = f"{_PACKAGE}.data_path"

_STEPS = (
    EXPORTS,
    "email.parser",
    "ssl",
    "http.client",
    "hashlib",
    "hmac",
    "mimetypes",
    "decimal",
    "urllib3",
    "google.protobuf.internal.api_implementation",
    "google.protobuf.internal.wire_format",
    "google.protobuf.text_format",
    "google.protobuf.descriptor_pool",
    "google.protobuf.internal.builder",
    "cramjam",
    "snappy",
    f"{_PACKAGE}.translation.translator",
    f"{_PACKAGE}.proto.write_v1_pb2",
    f"{_PACKAGE}.proto.write_v2_pb2",
    f"{_PACKAGE}.encoding.encoder",
    f"{_PACKAGE}.transport.authentication",
    f"{_PACKAGE}.transport.connection",
    f"{_PACKAGE}.transport.pool",
    f"{_PACKAGE}.delivery.delivery",
    f"{_PACKAGE}.lifecycle.interrupt_status",
    DATA_PATH,
)
"""In the order of their dependencies; none takes long once those before it are imported."""

_ONLY_SOME_EXPORTS_NEED = (f"{_PACKAGE}.proto.write_v1_pb2", f"{_PACKAGE}.proto.write_v2_pb2")

_PAUSE = 0.05  # seconds
_FORK_WAITS = 1.0  # seconds, at most, for a fork's imports


def is_passing(error: BaseException) -> bool:
    """Return whether an import that failed may succeed later: there was no descriptor or memory left, for instance."""
    return isinstance(error, OSError | MemoryError)


@contextmanager
def forks_wait() -> Iterator[None]:
    """Make forks wait during an import.

    Raises:
        ImportError: This process was forked without waiting for it.
    """
    with _forks.work():
        if _forks.broke_in:
            raise ImportError("this process was forked in the middle of an import")
        yield


def import_in_steps(pause: Callable[[float], bool]) -> None:
    """Import everything that the first export needs, with pauses; raise nothing, because that export reports failures.

    Not under gevent: its import locks do not work across threads.

    Args:
        pause: Waits for some seconds, and returns whether time is up.
    """
    for name in _STEPS:
        if DATA_PATH in sys.modules or has_green_threads() or is_patching() or pause(_PAUSE):
            return
        with suppress(BaseException), forks_wait():
            import_module(name)


def import_for_last_export() -> None:
    """Import only what a process's sole export needs, because the exit waits for it; raise nothing."""
    if not has_green_threads():
        with suppress(BaseException), forks_wait():
            import_module(EXPORTS)
            import_module(DATA_PATH)


def import_for_all_exports() -> None:
    """Import what later exports may need; called while forks wait.

    Raises:
        ImportError: One of the packages cannot be imported.
    """
    for name in _ONLY_SOME_EXPORTS_NEED:
        import_module(name)


def wait_for_import() -> None:
    """Wait until no other thread is in the middle of one of these imports."""
    _forks.wait()


def import_now() -> None:
    """Import everything that the first export needs, in this thread, if there will be an export; raise nothing."""
    for name in _STEPS if _imports.are_expected else ():
        with suppress(Exception, SystemExit):
            import_module(name)


def expect_exports() -> None:
    """Make the first fork import for all children."""
    _imports.are_expected = True


class _ForkedImports:
    """Import before the first fork what all children need."""

    def __init__(self) -> None:
        self.are_expected = False
        self._are_made = False

    def make(self) -> None:
        if self.are_expected and not self._are_made:
            self._are_made = True
            with suppress(TimeoutError):
                bounded_call(self, lambda: import_in_steps(lambda _: False), _FORK_WAITS)


_imports = _ForkedImports()
_forks = ForkPause(before=_imports.make)
