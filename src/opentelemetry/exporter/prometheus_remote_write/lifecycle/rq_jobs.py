"""Jobs of RQ: its default worker runs each in a fork that leaves by ``os._exit``, so nothing flushes at its end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any


def after_each_job(act: Callable[[], None]) -> None:
    """Do something when the job of this fork is done; to be called in a forked child. Nothing is raised.

    A worker that runs its jobs in its own process, as ``SimpleWorker`` does, goes on after them and is left alone.

    Args:
        act: Called without arguments, in the main thread, before the fork leaves.
    """
    with suppress(Exception):
        # Not imported here: only where the application has done so, this can be a fork for a job.
        module: Any = sys.modules.get("rq.worker")
        for name in ("BaseWorker", "Worker"):
            kind = getattr(module, name, None)
            if kind and "main_work_horse" in vars(kind):
                _wrap(kind, act)


def _wrap(worker: Any, act: Callable[[], None]) -> None:
    original = worker.main_work_horse
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def main_work_horse(self: Any, *arguments: Any, **named: Any) -> Any:
        perform_job = self.perform_job

        @wraps(perform_job)
        def perform_job_and_act(*job: Any, **how: Any) -> Any:
            try:
                return perform_job(*job, **how)
            finally:
                act()

        self.perform_job = perform_job_and_act  # of this fork's worker alone, and it runs one job
        return original(self, *arguments, **named)

    worker.main_work_horse = main_work_horse
