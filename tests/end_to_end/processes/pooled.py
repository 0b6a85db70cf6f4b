"""Counts in the main process and in children of it that one of Python's ways makes: pooled.py WAY METHOD TIMES."""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor

from work import count, in_hand, work_in_child

CHILDREN, EACH = 3, 10


def work_off(queue):
    """Work until there is no more, as the workers of a data loader do."""
    while (number := queue.get()) is not None:
        work_in_child(number)


def processes(context, numbers):
    children = [context.Process(target=work_in_child, args=(number,)) for number in numbers[:CHILDREN]]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return len(children)


def one_after_another(context, numbers):
    for number in numbers:
        child = context.Process(target=work_in_child, args=(number,))
        child.start()
        child.join()
    return len(numbers)


def pool(context, numbers):
    with context.Pool(CHILDREN) as workers:  # which terminates its children at the end
        workers.map(work_in_child, numbers, chunksize=1)
    return len(numbers)


def closed_pool(context, numbers):
    workers = context.Pool(CHILDREN, maxtasksperchild=2)
    workers.map(work_in_child, numbers, chunksize=1)
    workers.close()
    workers.join()
    return len(numbers)


def executor(context, numbers):
    with ProcessPoolExecutor(CHILDREN, mp_context=context) as workers:
        list(workers.map(work_in_child, numbers))
    return len(numbers)


def data_loader(context, numbers):
    """As PyTorch's: daemons, each with a queue of its own, that are joined for a while and then terminated."""
    queues = [context.Queue() for _ in range(CHILDREN)]
    workers = [context.Process(target=work_off, args=(queue,), daemon=True) for queue in queues]
    for worker in workers:
        worker.start()
    for number in numbers:
        queues[number % CHILDREN].put(number)
    for queue in queues:
        queue.put(None)
    for worker in workers:
        worker.join(60)
        worker.terminate()
    return len(numbers)


def joblib(backend, numbers):
    from joblib import Parallel, delayed  # noqa: PLC0415 - there is not for every Python

    Parallel(n_jobs=CHILDREN, backend=backend)(delayed(work_in_child)(number) for number in numbers)
    return len(numbers)


def loky(_context, numbers):
    from loky import get_reusable_executor  # noqa: PLC0415 - the same

    list(get_reusable_executor(max_workers=CHILDREN).map(work_in_child, numbers))
    return len(numbers)


def dask(_context, numbers):
    from distributed import Client, LocalCluster  # noqa: PLC0415 - the same

    with LocalCluster(n_workers=CHILDREN, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(work_in_child, numbers, pure=False))
    return len(numbers)


def billiard(_context, numbers):
    from billiard import get_context  # noqa: PLC0415 - only where it is wanted

    return pool(get_context("fork"), numbers)


def task_runner(_context, numbers):
    """As Airflow's: each task in a fork that leads a process group, has the signals' default actions, and leaves."""
    for number in numbers:
        child = os.fork()
        if not child:
            os.setpgid(0, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            try:
                work_in_child(number)
            finally:
                logging.shutdown()
                os._exit(0)
        os.waitpid(child, 0)
    return len(numbers)


if __name__ == "__main__":
    way, method, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with contextlib.suppress(ValueError):  # joblib's backends are its own
        method = multiprocessing.get_context(method)
    count(1, at="main")
    for _ in range(times):
        in_hand.add(globals()[way](method, range(EACH)))
