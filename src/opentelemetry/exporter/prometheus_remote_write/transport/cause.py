"""Why an answer does not accept a request: from its status, its headers and the words of receivers, proxies and clouds.

The protocol says that a sender must not interpret the text of an error. Nothing here decides whether to send again but
for what a status alone cannot say: that a request is too large, and that it reached something else than a receiver.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from ..errors import Cause

_WORDS: dict[Cause, str] = {
    # The first that is found counts, so what is special stands before what is general.
    Cause.SWITCHED_OFF: r"needs to be enabled with --",
    Cause.EXEMPLARS: r"\bexemplars?\b",
    Cause.LABEL_VALUE: r"label[ -]value[^;]{0,40}(too[ -]long|exceeds)",
    Cause.METADATA: r"metadata[^;]{0,40}(too[ -]long|exceeds)",
    Cause.TOO_MANY_LABELS: r"too many labels|label[ -]names[ -]per[ -](info[ -])?series|number of labels",
    Cause.NAME: r"invalid (metric|label) name|invalid label\b|(metric-name|label)-invalid",
    Cause.TOO_MANY_SERIES: (
        r"series limit|max-(active-|global-)?series|too many (active )?series|limit of \d+ (active )?series"
    ),
    Cause.CLOCK: r"too[ -]far[ -]in[ -](the[ -])?future|timestamp too new|start timestamp is after",
    Cause.OUT_OF_ORDER: (
        r"out[ -]of[ -]order|duplicate (sample|timestamp)|duplicate-timestamp|same timestamp|more recent timestamp"
    ),
    Cause.TOO_OLD: r"too[ -]old|too[ -]far[ -]in[ -](the[ -])?past|out of bounds",
}
_WORDS_OF_ANY = tuple((cause, re.compile(words)) for cause, words in _WORDS.items())
_TOO_LARGE = re.compile(
    r"\b(message|body|entity|payload|request|packet|decoded (length|block))\b[^;]{0,60}"
    r"(too (large|big)|exceeds\b|(larger|bigger) than)"
    r"|too (large|big)[^;]{0,30}\b(message|body|entity|payload|request)\b"
)
_WANTS_TLS = re.compile(r"http request (to an https server|was sent to https)|plain http to an ssl")
_AWS = re.compile(
    r"\baps:|missing authentication token|request signature|security token included|credential should be scoped"
    r"|unable to determine service/operation"
)
_AWS_HOST = re.compile(r"://aps-workspaces[^/]*\.(amazonaws\.com|api\.aws)")
_AZURE = re.compile(
    r"data collection (rule|endpoint)|\bdcr-|login\.(microsoftonline|windows|chinacloudapi)|monitor\.azure\."
)
_AZURE_HOST = re.compile(r"://[^/]*\.ingest\.monitor\.azure\.")
_BY_STATUS: dict[int, Cause] = {
    HTTPStatus.UNAUTHORIZED: Cause.CREDENTIALS,
    HTTPStatus.FORBIDDEN: Cause.CREDENTIALS,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Cause.PROXY_CREDENTIALS,
    HTTPStatus.NOT_FOUND: Cause.PATH,
    HTTPStatus.METHOD_NOT_ALLOWED: Cause.PATH,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Cause.TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Cause.PROTOCOL,
    HTTPStatus.TOO_MANY_REQUESTS: Cause.RATE_LIMIT,
}
_MAY_BE_TOO_LARGE = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INTERNAL_SERVER_ERROR}

_HTML = re.compile(
    rb"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(!doctype html|html|head|body|title|meta|script)\b",
    re.IGNORECASE | re.DOTALL,
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SAYS_FAILED = {"error", "errored", "fail", "failed", "failure", "unauthorized", "forbidden"}
_FAILED_IN_A_CUT_BODY = re.compile(
    rb'^\s*\{\s*"(status"\s*:\s*"(error|fail|failed|failure)"|errors?"\s*:\s*["{\[])', re.IGNORECASE
)


def cause_of(status: int, body: bytes, headers: Mapping[str, str], *, receiver: str = "") -> Cause:
    """Return the cause of an answer other than 2xx.

    Args:
        status: The HTTP status.
        body: The beginning of the text.
        headers: Names in any case.
        receiver: The URL that was asked.
    """
    text = body.decode("utf-8", "replace").lower()
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Cause.REDIRECT
    if status == HTTPStatus.BAD_REQUEST and _WANTS_TLS.search(text):
        return Cause.WANTS_TLS
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _cloud(f"{text} {headers.get('WWW-Authenticate', '').lower()}", headers, receiver) or Cause.CREDENTIALS
    said = next((cause for cause, words in _WORDS_OF_ANY if words.search(text)), None)
    if said is None and status in _MAY_BE_TOO_LARGE and _TOO_LARGE.search(text):
        return Cause.TOO_LARGE
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Cause.NATIVE_HISTOGRAMS if "histogram" in text else Cause.UNAVAILABLE
    by_status = _BY_STATUS.get(status)
    return said if said and by_status in {None, Cause.RATE_LIMIT, Cause.PATH} else by_status or Cause.REJECTED


def _cloud(text: str, headers: Mapping[str, str], receiver: str) -> Cause | None:
    if _AWS_HOST.search(receiver) or _AWS.search(text) or any(name.lower().startswith("x-amzn-") for name in headers):
        return Cause.AWS_CREDENTIALS
    if _AZURE_HOST.search(receiver) or _AZURE.search(text):
        return Cause.AZURE_CREDENTIALS
    return None


def is_no_receivers(body: bytes) -> bool:
    """Return whether an answer of 2xx is not that of a receiver, but a page for people or an error in JSON.

    A receiver mostly says nothing when it accepts; any other text may be one's own.

    Args:
        body: The beginning of the text.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if _HTML.match(body):
        return True
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return bool(_FAILED_IN_A_CUT_BODY.match(body))
    return isinstance(said, dict) and _says_failed(said)


def _says_failed(said: Mapping[str, object]) -> bool:
    status, code = said.get("status"), said.get("code", said.get("statusCode"))
    return (
        (isinstance(status, str) and status.lower() in _SAYS_FAILED)
        or any(isinstance(number, int) and number >= HTTPStatus.BAD_REQUEST for number in (status, code))
        or bool(said.get("error") or said.get("errors"))
        or said.get("success") is False
        or said.get("ok") is False
    )
