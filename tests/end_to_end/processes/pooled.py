"""Counts in the main process and in children of it that one of Python's ways makes: pooled.py WAY METHOD TIMES."""

import contextlib
import multiprocessing
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


if __name__ == "__main__":
    way, method, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with contextlib.suppress(ValueError):  # joblib's backends are its own
        method = multiprocessing.get_context(method)
    count(1, at="main")
    for _ in range(times):
        in_hand.add(globals()[way](method, range(EACH)))
