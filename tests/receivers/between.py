"""A server between an exporter and a receiver, which passes everything on and writes it down."""

from __future__ import annotations

from typing import NamedTuple

import urllib3

from tests.transport.scripted_server import ScriptedServer, answer, raw

OF_THE_CONNECTION = {"host", "content-length", "connection", "accept-encoding"}
TIMEOUT = 30.0  # seconds


class Passed(NamedTuple):
    """A request that was passed on, and its answer."""

    protocol: str
    status: int
    words: str
    written: dict[str, str]


class Between(ScriptedServer):
    """Runs inside a with block. Where the receiver is away, the connection is closed without an answer.

    Attributes:
        closed: Whether nothing is passed on, as if the receiver were away.
        turned_away: How many requests came while it was closed.
        passed: Each request that was passed on, with its answer.
    """

    def __init__(self, url: str):
        super().__init__(self._pass_on)
        self._url = url
        self.closed = False
        self.turned_away = 0
        self.passed: list[Passed] = []

    def _pass_on(self, exchange):
        if self.closed:
            self.turned_away += 1
            return raw(b"")(exchange)
        request = exchange.request
        headers = {name: value for name, value in request.headers.items() if name not in OF_THE_CONNECTION}
        try:
            with urllib3.PoolManager(retries=False, timeout=TIMEOUT) as pool:
                answered = pool.request("POST", self._url, body=request.body, headers=headers)
        except urllib3.exceptions.HTTPError:
            return raw(b"")(exchange)
        kept = {name: value for name, value in answered.headers.items() if _is_of_protocol(name)}
        written = {name: value for name, value in kept.items() if name.lower().endswith("-written")}
        protocol = "2.0" if "proto=io.prometheus.write.v2" in request.headers["content-type"] else "1.0"
        words = answered.data.decode(errors="replace").strip()
        self.passed.append(Passed(protocol, answered.status, words, written))
        return answer(answered.status, kept, answered.data)(exchange)


def _is_of_protocol(name: str) -> bool:
    return name.lower().startswith("x-") or name.lower() in ("retry-after", "content-type")
