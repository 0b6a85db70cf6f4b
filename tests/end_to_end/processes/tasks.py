"""A celery application with a broker of files; as a script, the client that hands over so many tasks."""

import os
import sys
from pathlib import Path

import work
from celery import Celery

folder = Path(os.environ["FOLDER"], "broker")
folder.joinpath("control").mkdir(parents=True, exist_ok=True)
app = Celery("tasks", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
    },
    worker_prefetch_multiplier=1,
)


@app.task(name="tasks.count")
def count():
    work.count(1, at="task")


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        count.delay()
