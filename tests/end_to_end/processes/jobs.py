"""Jobs for RQ, and the Redis that they are kept in."""

import os

import work
from redis import Redis


def connection():
    return Redis(port=int(os.environ["REDIS_PORT"]))


def count():
    work.count(1, at="job")


def fail():
    work.count(1, at="job")
    raise ValueError("a job that fails")
