"""One of RQ's workers, by its class's name; with a second argument it ends when the queue is empty."""

import sys

import jobs
import rq
from rq import Queue

if __name__ == "__main__":
    connection = jobs.connection()
    worker = getattr(rq, sys.argv[1])([Queue(connection=connection)], connection=connection)
    worker.work(burst=len(sys.argv) > 2)
