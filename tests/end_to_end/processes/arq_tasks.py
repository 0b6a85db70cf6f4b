"""Jobs of arq; as a script, the client that enqueues so many."""

import asyncio
import os
import sys

import work
from arq import create_pool
from arq.connections import RedisSettings

REDIS = RedisSettings(port=int(os.environ["REDIS_PORT"]))


async def count(_context):
    work.count(1, at="task")


class WorkerSettings:
    functions = (count,)
    redis_settings = REDIS


async def enqueue(number):
    pool = await create_pool(REDIS)
    for _ in range(number):
        await pool.enqueue_job("count")
    await pool.aclose()


if __name__ == "__main__":
    asyncio.run(enqueue(int(sys.argv[1])))
