"""One of RQ's workers, by its class's name; it ends when the queue is empty."""

import sys

import jobs
import rq
from rq import Queue

connection = jobs.connection()
worker = getattr(rq, sys.argv[1])([Queue(connection=connection)], connection=connection)
worker.work(burst=True)
