"""Jobs for RQ, and the Redis that they are kept in."""

import os

from redis import Redis
from work import work


def connection():
    return Redis(port=int(os.environ["REDIS_PORT"]))


def count(amount):
    work.add(amount, {"at": "job"})


def fail(amount):
    work.add(amount, {"at": "job"})
    raise ValueError("a job that fails")
