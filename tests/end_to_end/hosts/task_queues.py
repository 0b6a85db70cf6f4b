"""Workers that take tasks from a queue, and schedulers."""

from __future__ import annotations

from tests.end_to_end.fleet import FOLDER
from tests.end_to_end.hosts.host import GEVENT_UNDONE, STARTS_PROGRAMS, WORKS, Arrive, End, Host

_CELERY = (
    "celery",
    "--app",
    "tasks",
    "worker",
    "--concurrency",
    "2",
    "--loglevel",
    "info",
    "--without-gossip",
    "--without-mingle",
)
_CELERY_CLIENT = (str(FOLDER / "tasks.py"),)


def _celery(kind: str, *flags: str, **more: object) -> Host:
    given: dict = {
        "ready": r"celery@\S+ (ready)",
        "client": _CELERY_CLIENT,
        "instances": 3,
        "noise": (r"SecurityWarning",),
        **more,
    }
    return Host("celery", kind, (*_CELERY, *flags), WORKS, **given)


def _rq(kind: str, **more: object) -> Host:
    command = ("python", str(FOLDER / "rq_worker.py"), kind)
    given: dict = {
        "ready": r"\*\*\* (Listening)",
        "client": (str(FOLDER / "rq_client.py"),),
        "needs": ("redis",),
        "instances": 2,
        "noise": (r"Traceback(?=[^\0]{0,6000}ValueError: a job that fails)",),
        **more,
    }
    return Host("RQ", f"`{kind}`", command, WORKS, **given)


def _huey(kind: str, *flags: str, **more: object) -> Host:
    command = ("huey_consumer", "huey_tasks.huey", "--workers", "2", "--worker-type", kind, *flags)
    given: dict = {
        "ready": r"(Huey consumer started)",
        "client": ("-c", "import huey_tasks; huey_tasks.enqueue()"),
        "instances": 4,
        **more,
    }
    return Host("huey", f"`--worker-type {kind}`", command, WORKS, **given)


HOSTS = [
    _celery("prefork", "--pool", "prefork"),
    _celery(
        "prefork, `--max-tasks-per-child`",
        *("--pool", "prefork", "--max-tasks-per-child", "1"),
        instances=4,  # a worker begins while the one that it replaces still tells what it has counted
    ),
    _celery("threads", "--pool", "threads"),
    _celery("gevent", "--pool", "gevent", needs=("gevent",), noise=(r"SecurityWarning", GEVENT_UNDONE)),
    _celery("solo", "--pool", "solo"),
    _rq("Worker"),
    _rq("SimpleWorker"),
    _rq("SpawnWorker", since=STARTS_PROGRAMS),
    Host(
        "dramatiq",
        "2 processes",
        ("dramatiq", "dramatiq_tasks", "--processes", "2", "--threads", "2"),
        WORKS,
        ready=r"(?s)Worker process is ready for action.*Worker process is (ready) for action",
        client=(str(FOLDER / "dramatiq_tasks.py"),),
        needs=("redis", "dramatiq"),
        instances=5,
    ),
    Host(
        "arq",
        "",
        ("arq", "arq_tasks.WorkerSettings"),
        WORKS,
        ready=r"(Starting worker)",
        client=(str(FOLDER / "arq_tasks.py"),),
        needs=("redis", "arq"),
    ),
    _huey("thread"),
    _huey("process"),
    _huey("greenlet", needs=("gevent",)),
    *(
        Host(
            "APScheduler",
            executor,
            ("python", str(FOLDER / "scheduled.py"), executor),
            (Arrive(), End(None)),
            ready=r"\((ready)\)",
            instances=4,
            needs=("apscheduler",),
        )
        for executor in ("threads", "processes")
    ),
]
