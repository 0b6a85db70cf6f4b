"""Programs that make children."""

from __future__ import annotations

from tests.end_to_end.fleet import FOLDER
from tests.end_to_end.hosts.host import RUNS, STARTS_PROGRAMS, Host

_METHODS = ("fork", "forkserver", "spawn")
# What Python says from 3.12 on where a process with threads forks.
_THREADS = (r".*DeprecationWarning: This process .* is multi-threaded.*",)
_UNPINNED = {"OTEL_RESOURCE_ATTRIBUTES": ""}


def _pooled(name: str, kind: str, way: str, method: str, *, times: int = 1, instances: int = 6, **more: object) -> Host:
    command = ("python", str(FOLDER / "pooled.py"), way, method, str(times))
    since = STARTS_PROGRAMS if method in {"forkserver", "spawn", "loky"} else 0
    return Host(name, kind, command, RUNS, instances=instances, since=since, **more)  # type: ignore[arg-type]


HOSTS = [
    *(_pooled("`multiprocessing.Process`", method, "processes", method) for method in _METHODS),
    *(
        _pooled("`multiprocessing.Process`", method, "processes", method, variables=_UNPINNED)
        for method in ("fork", "forkserver")
    ),
    # Restarts of a worker make no new series.
    _pooled("`multiprocessing.Process`", "fork, one after another", "one_after_another", "fork", times=5, instances=3),
    *(
        _pooled("`with multiprocessing.Pool()`", method, "pool", method, times=times)
        for method, times in zip(_METHODS, (5, 2, 1), strict=True)
    ),
    _pooled(
        "`multiprocessing.Pool`, closed and joined", "fork, `maxtasksperchild`", "closed_pool", "fork", instances=8
    ),
    *(_pooled("`ProcessPoolExecutor`", method, "executor", method) for method in _METHODS),
    _pooled("workers as of PyTorch's `DataLoader`", "fork", "data_loader", "fork"),
    _pooled("a task runner as Airflow's", "`os.fork`, `os._exit`", "task_runner", "fork", instances=2, noise=_THREADS),
    _pooled("`with billiard.Pool()`", "fork", "billiard", "fork"),
    _pooled("Dask", "`LocalCluster`, nannies", "dask", "spawn", needs=("distributed",)),
    _pooled("joblib", "loky, its default", "joblib", "loky", needs=("joblib",)),
    _pooled("joblib", "multiprocessing", "joblib", "multiprocessing", needs=("joblib",)),
    _pooled("joblib", "threading", "joblib", "threading", needs=("joblib",)),
    _pooled("loky", "", "loky", "loky", needs=("loky",)),
]
