"""Enqueues jobs for RQ's worker."""

import jobs
from rq import Queue

queue = Queue(connection=jobs.connection())
for amount in (1, 2, 3):
    queue.enqueue(jobs.count, amount)
queue.enqueue(jobs.fail, 4)
