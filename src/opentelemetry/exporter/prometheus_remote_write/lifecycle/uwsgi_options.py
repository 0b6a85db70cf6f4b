"""Which of uWSGI's options matter to an exporter, and which of them have to be set."""

from __future__ import annotations

from typing import Any

from .gevent_patches import has_green_exports

CALLS_HOOKS = "py-call-uwsgi-fork-hooks"
CALLS_HOOKS_IN_CHILDREN = "py-call-osafterfork"
_THREADS_BY_DEFAULT = (2, 0, 31)
_RECYCLES = {"max-requests", "max-worker-lifetime", "reload-on-as", "reload-on-rss"}
_OTHERS = {"mule", "mules", "spooler", "Q"}  # children that are not workers
LAZY = {"lazy-apps", "lazy"}
PATCHES = "gevent-monkey-patch"
_NO = {"false", "off", "no", "0"}


def options_set(uwsgi: Any) -> set[str]:
    """Return the names of the options that are set.

    Args:
        uwsgi: uWSGI's module.
    """
    return {_text(name) for name, value in uwsgi.opt.items() if value is not False and _text(value) not in _NO}


def options_needed(options: set[str], uwsgi: Any, *, has_own_threads: bool) -> list[str]:
    """Return what to change for metrics to arrive in time, each as a clause.

    Args:
        options: Those that are set.
        uwsgi: uWSGI's module.
        has_own_threads: Whether the application created the exporter, whose reader then has a thread.
    """
    needed = []
    if options.isdisjoint({CALLS_HOOKS, CALLS_HOOKS_IN_CHILDREN}):
        needed.append(f"set {CALLS_HOOKS}, or {CALLS_HOOKS_IN_CHILDREN} if uWSGI does not know it")
    if CALLS_HOOKS in options and not options.isdisjoint(_OTHERS):
        needed.append(f"set {CALLS_HOOKS_IN_CHILDREN} instead of {CALLS_HOOKS}, which leaves out mules and spoolers")
    if options.isdisjoint({"enable-threads", "T", "threads"}) and uwsgi.version_info[:3] < _THREADS_BY_DEFAULT:
        needed.append("set enable-threads")
    if has_own_threads and not options.isdisjoint(_RECYCLES) and options.isdisjoint({CALLS_HOOKS, *LAZY}):
        needed.append("set lazy-apps, because a worker that is forked later from a master with threads may hang")
    if has_green_exports():
        needed.append(f"set {PATCHES}, and let nothing else patch, because that happens before the workers start")
    needed.extend(f"do not set {name}" for name in ("skip-atexit", "skip-atexit-teardown") if name in options)
    return needed


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
