"""A scheduler of APScheduler's that runs a job in its executor, threads or processes: scheduled.py EXECUTOR."""

import sys

from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from work import count


def job():
    count(1, at="job")


if __name__ == "__main__":
    executor = {"threads": ThreadPoolExecutor, "processes": ProcessPoolExecutor}[sys.argv[1]](2)
    scheduler = BackgroundScheduler(executors={"default": executor}, job_defaults={"max_instances": 5})
    scheduler.add_job(job, "interval", seconds=0.2)
    scheduler.start()
    print("(ready)", flush=True)
    sys.stdin.readline()
    scheduler.shutdown()
    count(1, at="main")
