"""The answer to a request, and what a refusal means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from ..configuration.settings import variable
from ..delivery.hints import hint
from ..errors import Cause, SendError, Unsendable

_BY_CAUSE = {
    Cause.SWITCHED_OFF: "receiver-off",
    Cause.WANTS_TLS: "tls-wanted",
    Cause.NO_RECEIVER: "web-page",
    Cause.PROXY_REFUSED: "proxy-refused",
    Cause.PROXY_CREDENTIALS: "proxy-refused",
}
_CLIENT_CERTIFICATE = re.compile("No required SSL certificate was sent|SSL certificate error|refused the TLS handshake")
_BY_STATUS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "credentials",
    HTTPStatus.FORBIDDEN: "credentials",
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: "proxy-refused",
    HTTPStatus.NOT_FOUND: "path",
    HTTPStatus.METHOD_NOT_ALLOWED: "path",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "protocol",
    HTTPStatus.TOO_MANY_REQUESTS: "limits",
}
_BY_HUNDREDS = {0: "no-answer", 3: "redirect", 5: "receiver-error"}


class ReceiverAnswer(NamedTuple):
    """The answer to a request.

    Args:
        status: The HTTP status; 0 if there was no answer.
        headers: The answer's, with names in lower case.
        error: Why it was not accepted; None if it was.
        seconds: How long it took.
    """

    status: int
    headers: Mapping[str, str]
    error: SendError | None
    seconds: float

    def written(self, what: str) -> int | None:
        """Return how many ``samples``, ``histograms`` or ``exemplars`` were written; None if it does not say."""
        text = self.headers.get(f"x-prometheus-remote-write-{what}-written", "").strip()
        return int(text) if text.isdecimal() else None

    @property
    def is_a_page(self) -> bool:
        """Whether it is a web page, which no receiver returns."""
        return self.headers.get("content-type", "").lower().startswith("text/html")

    @property
    def topic(self) -> str:
        """What a refusal is about."""
        if _CLIENT_CERTIFICATE.search(str(self.error)):
            return "client-certificate"
        if self.error and (by_cause := _BY_CAUSE.get(self.error.cause)):
            return by_cause
        if isinstance(self.error, Unsendable):
            return "not-sent"
        return _BY_STATUS.get(self.status) or _BY_HUNDREDS.get(self.status // 100, "refused")

    def cure(self, *, has_proxy: bool) -> str:
        """Return what to do about a refusal.

        Args:
            has_proxy: Whether there is a proxy, which may be the one that refuses.
        """
        told = hint(self.error) if self.error else ""
        if self.error and self.error.cause is Cause.NOT_HTTP:
            return f"look at host and port in {variable('endpoint')}: does a receiver listen there, or something else?"
        if self.topic == "credentials" and has_proxy:
            return f"{told}; the proxy may be the one that refuses"
        return told or _CURES.get(self.topic, f"look at {variable('endpoint')}")


_CURES = {
    "receiver-off": "start the receiver with that flag; for Prometheus --web.enable-remote-write-receiver",
    "tls-wanted": f"write https:// in {variable('endpoint')}",
    "client-certificate": f"set {variable('client_certificate')} and {variable('client_key')}",
    "redirect": f"set {variable('endpoint')} to the final address",
    "receiver-error": "look at the receiver's log, and at that of any server in front of it",
    "refused": "look at the receiver's own words, and at its log",
    "not-sent": "correct what the line names: nothing is sent until then",
    "no-answer": f"look at {variable('endpoint')}, at {variable('timeout')}, and at how busy the receiver is",
}
