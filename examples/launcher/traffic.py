"""Requests to the shop, and how each was answered."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle
from threading import Event, Thread
from typing import NamedTuple

import urllib3
from urllib3.exceptions import HTTPError

_REQUESTS_PER_SECOND = 50


class Planned(NamedTuple):
    """A request to send, and the route that the shop will find for it; none if the shop has no such route."""

    method: str
    path: str
    route: str
    json: list[int] | None = None


class Answered(NamedTuple):
    """A request that was answered; the seconds are the client's."""

    route: str
    status: str
    seconds: float


class Traffic(NamedTuple):
    """All requests, and when they were sent, in seconds since the epoch."""

    answered: list[Answered]
    begin: float
    end: float


PRODUCTS = "/products/<int:number>"
_PLAN = (
    (120, Planned("GET", "/", "/")),
    (120, Planned("GET", "/products/7", PRODUCTS)),
    (40, Planned("GET", "/products/100", PRODUCTS)),
    (80, Planned("POST", "/checkout", "/checkout", json=[30, 12])),
    (16, Planned("POST", "/checkout", "/checkout", json=[])),
    (24, Planned("GET", "/wp-login.php", "")),
)


def send(url: str) -> Traffic:
    """Send a few hundred requests to several routes at a steady pace; one in five is answered with an error."""
    with urllib3.PoolManager(maxsize=8, timeout=10, retries=False) as http, ThreadPoolExecutor(8) as clients:
        begin = time.time()
        pending = [clients.submit(_send_one, http, url, request) for request in _paced(_shuffled())]
        answered = [each.result() for each in pending]
        return Traffic(answered, begin, time.time())


@contextmanager
def kept_up(url: str) -> Iterator[None]:
    """Send the same requests over and over, in the background."""
    ended = Event()

    def send_on() -> None:
        with urllib3.PoolManager(timeout=10, retries=False) as http:
            for request in cycle(_shuffled()):
                if ended.wait(1 / _REQUESTS_PER_SECOND):
                    return
                with suppress(HTTPError):  # the shop may be ending
                    _send_one(http, url, request)

    sender = Thread(target=send_on, daemon=True)
    try:
        sender.start()
        yield
    finally:
        ended.set()


def _shuffled() -> list[Planned]:
    requests = [request for count, request in _PLAN for _ in range(count)]
    random.Random(7).shuffle(requests)
    return requests


def _paced(requests: list[Planned]) -> Iterator[Planned]:
    begin = time.monotonic()
    for number, request in enumerate(requests):
        time.sleep(max(0, begin + number / _REQUESTS_PER_SECOND - time.monotonic()))
        yield request


def _send_one(http: urllib3.PoolManager, url: str, request: Planned) -> Answered:
    begin = time.monotonic()
    response = http.request(request.method, url + request.path, json=request.json)
    return Answered(request.route, str(response.status), time.monotonic() - begin)
