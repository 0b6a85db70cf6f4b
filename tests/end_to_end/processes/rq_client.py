"""Enqueues so many jobs for RQ's worker, the last of which fails."""

import sys

import jobs
from rq import Queue

queue = Queue(connection=jobs.connection())
for _ in range(int(sys.argv[1]) - 1):
    queue.enqueue(jobs.count)
queue.enqueue(jobs.fail)
