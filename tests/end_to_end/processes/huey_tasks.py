"""Tasks of huey, in a database of SQLite; the client enqueues so many."""

import os
import sys
from pathlib import Path

import work
from huey import SqliteHuey

huey = SqliteHuey(filename=str(Path(os.environ["FOLDER"], "huey.db")))


@huey.task(name="count")
def count():
    work.count(1, at="task")


def enqueue():
    for _ in range(int(sys.argv[1])):
        count()
