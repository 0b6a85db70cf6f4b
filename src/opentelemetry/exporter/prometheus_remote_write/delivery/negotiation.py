"""Which protocol version the receiver speaks, and how much of a 2.0 request it says it has written.

Remote Write 2.0, sections "Response" and "Backward and forward compatibility": a receiver of 2.0 answers with headers
that count what it has written. One of 1.0 does not; it may even answer 2xx to a request that it cannot read, and drop
it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from ..errors import Cause, Rejected
from ..messages.text import plural
from ..model.request import PROTOCOL_2, Request

_WRITTEN = {
    "samples": "X-Prometheus-Remote-Write-Samples-Written",
    "histograms": "X-Prometheus-Remote-Write-Histograms-Written",
    "exemplars": "X-Prometheus-Remote-Write-Exemplars-Written",
}
_SAYS_NOTHING = {Cause.REJECTED, Cause.UNKNOWN}
_BEFORE_THE_RECEIVER = {
    Cause.CREDENTIALS,
    Cause.AWS_CREDENTIALS,
    Cause.AZURE_CREDENTIALS,
    Cause.PROXY_REFUSED,
    Cause.PROXY_CREDENTIALS,
    Cause.REDIRECT,
    Cause.NO_RECEIVER,
    Cause.PATH,
    Cause.SWITCHED_OFF,
}
_COUNT = re.compile("[0-9]{1,19}")  # an int64; Python refuses to convert thousands of digits


class Shortfall(NamedTuple):
    """How much of a request was not written although it was answered."""

    samples: int
    histograms: int
    exemplars: int

    def __str__(self) -> str:
        written = ((number, kind.removesuffix("s")) for kind, number in self._asdict().items() if number)
        return ", ".join(f"{number} {plural(number, kind)}" for number, kind in written)


def shortfall(request: Request, headers: Mapping[str, str]) -> Shortfall:
    """Return how much of a 2.0 request was not written.

    A missing header means 0; one that is not a whole number says nothing, and counts as everything written.

    Args:
        request: What was sent.
        headers: The answer's; at least one of them counts what was written.
    """
    by_name = {name.lower(): value.strip() for name, value in headers.items()}
    missing = {}
    for kind, header in _WRITTEN.items():
        sent: int = getattr(request, kind)
        written = by_name.get(header.lower(), "0")
        missing[kind] = max(0, sent - int(written)) if _COUNT.fullmatch(written) else 0
    return Shortfall(**missing)


class Negotiation:
    """Remembers, for an exporter's life, whether the receiver has shown that it speaks 2.0.

    Attributes:
        confirmed: Whether it has.
    """

    def __init__(self) -> None:
        self.confirmed = False
        self._answered = False

    def understood(self, request: Request, headers: Mapping[str, str]) -> bool:
        """Return False if an answer of 2xx means that a request of 2.0 was not read, and so is lost.

        Args:
            request: What was sent.
            headers: The answer's.
        """
        if request.protocol == PROTOCOL_2:
            self._note(headers)
        return request.protocol != PROTOCOL_2 or self.confirmed

    def refused_protocol(self, request: Request, error: Rejected) -> bool:
        """Return whether a request was refused because the receiver speaks only 1.0.

        A 415 says so; so does an unexplained 400 to the very first request of 2.0, on which a receiver of 1.0 may
        choke. From a receiver that has confirmed 2.0 once, they mean something else.

        Args:
            request: What was sent.
            error: The refusal.
        """
        if request.protocol != PROTOCOL_2:
            return False
        if error.cause in _BEFORE_THE_RECEIVER:
            return False
        is_first = not self._answered
        self._note(error.headers)
        is_unread = is_first and error.status == HTTPStatus.BAD_REQUEST and error.cause in _SAYS_NOTHING
        return not self.confirmed and (is_unread or error.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE)

    def _note(self, headers: Mapping[str, str]) -> None:
        self._answered = True
        self.confirmed = self.confirmed or counts_written(headers)


def counts_written(headers: Mapping[str, str]) -> bool:
    """Return whether an answer says how much was written."""
    names = {name.lower() for name in headers}
    return any(header.lower() in names for header in _WRITTEN.values())
