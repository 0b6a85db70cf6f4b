"""Counts in the main process and in children that a start method of multiprocessing makes."""

import multiprocessing
import sys

from work import in_hand, work


def count(amount):
    work.add(amount, {"at": "child"})
    in_hand.add(-1)


if __name__ == "__main__":
    method, children, together = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "together"
    context = multiprocessing.get_context(method)
    work.add(1000, {"at": "main"})
    in_hand.add(children)
    started = []
    for number in range(1, children + 1):
        child = context.Process(target=count, args=(number,))
        child.start()
        started.append(child)
        if not together:
            child.join()
    for child in started:
        child.join()
        if child.exitcode:
            sys.exit(f"a child ended with {child.exitcode}")
    in_hand.add(0)
