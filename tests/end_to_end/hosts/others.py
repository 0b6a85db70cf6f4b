"""Hosts that are neither servers nor workers, and the odd ones among those."""

from __future__ import annotations

import signal

from tests.end_to_end.fleet import FOLDER
from tests.end_to_end.hosts.host import RUNS, STARTS_PROGRAMS, Arrive, End, Freeze, Host, Lines

_READY = r"\((ready)\)"

HOSTS = [
    Host(
        "a handler of Lambda's",
        "frozen between calls",
        ("python", str(FOLDER / "handler.py")),
        (Lines(2), Freeze(2), Lines(2), Arrive(), Freeze(2), Lines(1), End()),
        ready=_READY,
        status=-signal.SIGTERM,
    ),
    Host(
        "pytest",
        "",
        (
            "pytest",
            "-c",
            "/dev/null",
            "--noconftest",
            "-q",
            "-s",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            "{folder}",
            str(FOLDER / "counted_test.py"),
        ),
        RUNS,
    ),
    Host(
        "Jupyter",
        "`nbconvert --execute`",
        (
            "jupyter",
            "nbconvert",
            "--to",
            "notebook",
            "--execute",
            # The kernel is killed after so many seconds; the default of five is little on a busy machine.
            "--KernelManager.shutdown_wait_time=120",
            "--output-dir",
            "{folder}",
            str(FOLDER / "notebook.ipynb"),
        ),
        RUNS,
        needs=("nbconvert", "ipykernel"),
        since=STARTS_PROGRAMS,
        instances=2,
    ),
    Host(
        "python-daemon",
        "",
        ("python", str(FOLDER / "daemon_app.py")),
        (Arrive(), End()),
        needs=("daemon",),
        pid_file="pid",
        instances=2,
        status=None,
    ),
]
