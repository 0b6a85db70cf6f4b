"""What the receiver's answer means: accepted, retry, or refused for good (Remote Write 1.0 and 2.0)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from urllib3 import HTTPHeaderDict

from ..errors import Cause, Rejected, Retryable, SendError, Unsendable
from ..messages.redaction import Redaction
from .cause import cause_of, is_no_receivers
from .failure import Route

_WRITTEN = re.compile("x-prometheus-remote-write-[a-z]+-written", re.IGNORECASE)
_GZIP_OR_ZLIB, _BARE_DEFLATE = 47, -15  # zlib's window bits: the largest window, and the format
_UNPACKED_BYTES = 4096
_WRONG_CLOCK = 30.0  # seconds between the receiver's clock and ours; a Date may be a second old


class Answer(NamedTuple):
    """An HTTP response.

    Args:
        status: The status code.
        headers: Names in any case.
        body: Its beginning.
        redaction: Keeps our secrets, which it may echo, out of messages.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    redaction: Redaction = Redaction(())

    @property
    def accepted(self) -> bool:
        """Whether a receiver has accepted the request: 2xx, and not a page for people or an error in JSON.

        An answer that counts what was written is a receiver's, whatever else it contains.
        """
        return self.is_2xx and (any(map(_WRITTEN.fullmatch, self.headers)) or not is_no_receivers(self.body))

    @property
    def is_2xx(self) -> bool:
        """Whether the status alone says that the request was accepted."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return the beginning of a body that a proxy has compressed without being asked.

    Args:
        body: As received, perhaps cut.
        encoding: The header Content-Encoding.
    """
    name = encoding.strip().lower()
    if name not in {"gzip", "x-gzip", "deflate"}:
        return body if name in {"", "identity"} or _is_text(body) else b""
    for window_bits in (_GZIP_OR_ZLIB, *([_BARE_DEFLATE] if name == "deflate" else [])):
        with suppress(zlib.error):
            return zlib.decompressobj(window_bits).decompress(body, _UNPACKED_BYTES)
    return b""


def _is_text(body: bytes) -> bool:
    """Return whether a body, perhaps cut within a character, is plain text despite its header."""
    text = body.decode("utf-8", "ignore")
    return len(text.encode()) >= len(body) - 3 and all(letter.isprintable() or letter.isspace() for letter in text)


def refusal(answer: Answer, route: Route, now: float) -> SendError:
    """Return the error for an answer that does not accept the request.

    5xx are retried, as the protocol demands, and 429, as it allows; no other 4xx. A redirect is an error: it usually
    leads to a login page, and following it would give the data to a host that the user has not named.

    Args:
        answer: The answer as received.
        route: Who was asked.
        now: Seconds since the epoch, to interpret dates.
    """
    status = answer.status
    said = answer.redaction.words(answer.body)
    headers = HTTPHeaderDict({name: answer.redaction.value(value) for name, value in answer.headers.items()})
    named = _named(status)
    words = f": {said}" if said and not named.endswith(f" {said}") else ""
    if answer.is_2xx:
        return Rejected(
            f"{route.receiver} answered {named}, but not as a Remote Write receiver would{words}",
            status=status,
            cause=Cause.NO_RECEIVER,
            headers=headers,
        )
    cause = cause_of(status, answer.body, answer.headers, receiver=route.receiver)
    if cause is Cause.CREDENTIALS and status == HTTPStatus.FORBIDDEN and _is_of_the_proxy(answer, route):
        message = f"the proxy {route.proxy} answered {named} for {route.receiver}{words}"
        return Rejected(message, status=status, cause=Cause.PROXY_REFUSED, headers=headers)
    message = f"{route.receiver} answered {named}{words}"
    if cause is Cause.WANTS_TLS:
        return Unsendable(message, cause=cause)
    if cause is Cause.REDIRECT and (place := answer.headers.get("Location")):
        place = answer.redaction.url(place)
        message = f"{route.receiver} answered {named}: redirected to {place}; redirects are not followed"
    is_of_time = cause in {Cause.CLOCK, Cause.OUT_OF_ORDER, Cause.TOO_OLD}
    if (is_of_time or _is_signed_too_early_or_late(answer.body)) and (
        ahead := _ahead(answer.headers.get("Date", ""), now)
    ):
        cause = Cause.CLOCK
        message += f" (this host's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the receiver's)"
    # gRPC's ResourceExhausted arrives as 500, but the same bytes will always be too many.
    is_final = cause is Cause.TOO_LARGE
    if not is_final and (status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR):
        wait = retry_after(answer.headers.get("Retry-After", ""), now)
        return Retryable(message, status=status, retry_after=wait, cause=cause)
    return Rejected(message, status=status, headers=headers, cause=cause)


def _is_of_the_proxy(answer: Answer, route: Route) -> bool:
    """Return whether a forwarding proxy itself refused; answers that it forwards have Via."""
    if not route.proxy or not route.receiver.startswith("http:"):
        return False
    names = {name.lower() for name in answer.headers}
    return "via" not in names or not names.isdisjoint({"x-squid-error", "proxy-status"})


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _is_signed_too_early_or_late(body: bytes) -> bool:
    """Return whether a signature was refused for its date; Amazon allows five minutes."""
    text = body.lower()
    return any(words in text for words in (b"signature expired", b"signature not yet current", b"requesttimetooskewed"))


def _ahead(date: str, now: float) -> float:
    """Return how many seconds our clock is ahead of the receiver's header Date; 0 if they agree or there is none."""
    theirs = _seconds(date)
    if theirs is None or abs(now - theirs) < _WRONG_CLOCK:
        return 0.0
    return now - theirs


def retry_after(value: str, now: float) -> float | None:
    """Return the seconds to wait, from the header Retry-After: seconds or a date (RFC 9110, section 10.2.3).

    Args:
        value: The header's value.
        now: Seconds since the epoch.

    Returns:
        Not negative; None if the value is invalid.
    """
    if seconds := re.fullmatch(r"[ \t]*([0-9]{1,9})[ \t]*", value):
        return float(seconds[1])
    date = _seconds(value)
    return None if date is None else max(0.0, date - now)


def _seconds(date: str) -> float | None:
    """Return the seconds since the epoch of a date in HTTP's or mail's format."""
    try:
        parsed = parsedate_to_datetime(date)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
