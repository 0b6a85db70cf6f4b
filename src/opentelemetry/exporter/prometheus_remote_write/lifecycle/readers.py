"""The readers of one exporter, ours or the SDK's own. They come and go, so each call looks them up."""

from __future__ import annotations

import threading

from .sdk_internals import interval_of, is_ended, is_ticking, readers_of, thread_of, wait_for_end


def interval(exporter: object) -> float | None:
    """Return the seconds between two exports; None if no reader exports periodically."""
    return next(filter(None, map(interval_of, readers_of(exporter))), None)


def collection(exporter: object) -> float | None:
    """Return how long the last collection took, in seconds; None if our controller did not do it."""
    measured = (getattr(reader, "collection_seconds", None) for reader in readers_of(exporter))
    return next((seconds for seconds in measured if isinstance(seconds, float)), None)


def have_ended(exporter: object) -> bool:
    """Return whether the current export is of the last collection."""
    readers = readers_of(exporter)
    return bool(readers) and all(map(is_ended, readers))


def export_in_background(exporter: object, thread: threading.Thread) -> bool:
    """Return whether nobody waits for an export: a reader's thread requested it, or at least not the main one."""
    threads = {thread_of(reader) for reader in readers_of(exporter)}
    return thread in threads if threads else thread is not threading.main_thread()


def join_ended(exporter: object, seconds: float) -> bool:
    """Wait some seconds for each thread of a reader that was shut down; return whether all have ended."""
    ended = list(filter(is_ended, readers_of(exporter)))
    for reader in ended:
        wait_for_end(reader, seconds)
    return not any(map(is_ticking, ended))
