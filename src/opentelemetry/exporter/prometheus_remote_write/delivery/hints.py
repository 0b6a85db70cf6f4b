"""The likely cause of a failed request, and the variable to look at."""

from __future__ import annotations

from http import HTTPStatus

from ..configuration.settings import PREFIX
from ..errors import Rejected, Retryable, SendError, Unsupported

_OUT_OF_ORDER = (b"out of order", b"out-of-order", b"duplicate sample", b"too old", b"out of bounds")

_SWITCHED_OFF = b"needs to be enabled with --"  # Prometheus says itself what to do

_CREDENTIALS = f"look at {PREFIX}USERNAME and {PREFIX}PASSWORD, {PREFIX}BEARER_TOKEN or {PREFIX}HEADERS (a tenant?)"
_PATH = f"look at the path in {PREFIX}ENDPOINT: it must be the write path, such as /api/v1/write or /api/v1/push"
_BY_STATUS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _CREDENTIALS,
    HTTPStatus.FORBIDDEN: _CREDENTIALS,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: f"look at the user and the password in {PREFIX}PROXY",
    HTTPStatus.NOT_FOUND: _PATH,
    HTTPStatus.METHOD_NOT_ALLOWED: _PATH,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        f"a single series is too large: look at its labels, and at {PREFIX}RESOURCE_LABELS"
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        f"the receiver may have become one of the other version: look at {PREFIX}PROTOCOL"
    ),
}


def hint(error: SendError) -> str:
    """Returns what most often causes such an error, as a clause; empty where the error says it itself.

    Args:
        error: Why the request was not accepted.
    """
    if isinstance(error, Unsupported):
        return f"the receiver does not speak this version of the protocol: set {PREFIX}PROTOCOL to auto"
    if isinstance(error, Rejected):
        return _of_rejection(error.status, error.body)
    if isinstance(error, Retryable):
        return _of_failure(str(error)) if error.status is None else _of_retryable(error.status, str(error))
    return ""


def _of_rejection(status: int, body: bytes) -> str:
    if status == HTTPStatus.BAD_REQUEST and any(words in body.lower() for words in _OUT_OF_ORDER):
        return (
            "most likely two processes write the same series: give each its own service.instance.id "
            "(OTEL_RESOURCE_ATTRIBUTES)"
        )
    if _SWITCHED_OFF in body:
        return ""
    return _BY_STATUS.get(status, "")


def _of_retryable(status: int, message: str) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return f"the receiver limits us: send less ({PREFIX}DROP_METRICS, {PREFIX}INTERVAL) or have the limit raised"
    if "histogram" in message:
        return f"the receiver may not take native histograms: look at {PREFIX}DEFAULT_HISTOGRAM_AGGREGATION"
    return ""


def _of_failure(message: str) -> str:
    """There was no answer; the messages are those of ``transport.failure``."""
    if "the proxy" in message:
        return f"look at {PREFIX}PROXY, HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
    if "is not resolved" in message:
        return f"look at the host in {PREFIX}ENDPOINT"
    if "could not be reached" in message:
        return f"does the receiver run? Look at host and port in {PREFIX}ENDPOINT"
    if "did not answer within" in message:
        return f"look at host and port in {PREFIX}ENDPOINT, at {PREFIX}TIMEOUT, and at how busy the receiver is"
    return ""
