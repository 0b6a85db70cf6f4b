"""Actors of dramatiq; as a script, the client that sends so many messages."""

import os
import sys

import dramatiq
import work
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(port=int(os.environ["REDIS_PORT"])))


@dramatiq.actor(actor_name="count")
def count():
    work.count(1, at="task")


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        count.send()
