"""What the receiver's answer means: accepted, to be sent again, or refused for good (Remote Write 1.0 and 2.0)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from ..errors import Rejected, Retryable, SendError
from ..redaction import Redaction


class Answer(NamedTuple):
    """An answer of HTTP.

    Args:
        status: The status code.
        headers: Names in any case, values that hold no secret.
        body: Its beginning.
        redaction: What keeps our secrets, which it may repeat, out of messages.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    redaction: Redaction = Redaction(())

    @property
    def accepted(self) -> bool:
        """Whether the receiver has taken the request: 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def refusal(answer: Answer, receiver: str, now: float) -> SendError:
    """The error that an answer stands for which does not accept the request.

    Retried are 5xx, as the protocol demands, and 429, as it allows; no other status of 4xx. A redirect is an error: it
    is most often the way to a login page, and to follow it would give the data to a host that nobody has named.

    Args:
        answer: The answer as it came.
        receiver: How the receiver is called in a message.
        now: Seconds since the epoch, for a Retry-After that is a date.
    """
    status = answer.status
    said = answer.redaction.words(answer.body)
    named = _named(status)
    message = f"{receiver} answered {named}" + (f": {said}" if said and not named.endswith(f" {said}") else "")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wait = retry_after(answer.headers.get("Retry-After", ""), now)
        return Retryable(message, status=status, retry_after=wait)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST and (place := answer.headers.get("Location")):
        message = (
            f"{receiver} answered {_named(status)} and wants to be asked at {answer.redaction.url(place)}; "
            "redirects are not followed: set the endpoint to where the data shall go"
        )
    body = answer.redaction.body(answer.body)
    return Rejected(message, status=status, body=body, headers=answer.headers)


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after(value: str, now: float) -> float | None:
    """Seconds to wait, from the header Retry-After: seconds or a date (RFC 9110, section 10.2.3).

    Args:
        value: The header's value.
        now: Seconds since the epoch.

    Returns:
        Not negative; None where the value says nothing.
    """
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc)
        return max(0.0, date.timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
