"""The end of a request, for everything that happens during it.

The timeouts of sockets hold for one operation, so a peer that sends a byte now and then could keep a request alive for
ever. Instead each operation is given what is left of the whole. The deadline belongs to the context (the thread) that
makes the request, because urllib3 has no place to hand it through.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_end = ContextVar("end of the request", default=math.inf)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Ends the operations inside, together, after some time.

    Args:
        seconds: Time for all of them; infinity is no limit.
    """
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def remaining() -> float | None:
    """The seconds that are left, as a socket's timeout: None where there is no limit.

    Raises:
        TimeoutError: Nothing is left.
    """
    left = _end.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for the request is over")
    return None if left == math.inf else left
