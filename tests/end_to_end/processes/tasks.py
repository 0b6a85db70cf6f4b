"""A celery application with a broker of files."""

import os
from pathlib import Path

from celery import Celery
from work import work

folder = Path(os.environ["BROKER_FOLDER"])
folder.joinpath("control").mkdir(exist_ok=True)
app = Celery("tasks", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
    },
    worker_prefetch_multiplier=1,
)


@app.task
def count(amount):
    work.add(amount, {"at": "task"})
