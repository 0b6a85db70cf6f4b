"""Why an answer does not accept a request: from its status, headers and the wording of receivers, proxies and clouds.

The protocol says that a sender must not interpret the text of an error. So nothing here decides whether to retry,
except what a status cannot express: that a request is too large, or that it reached something other than a receiver.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from ..errors import Cause

_WORDS: dict[Cause, str] = {
    # The first match counts, so special patterns precede general ones.
    Cause.SWITCHED_OFF: r"needs to be enabled with --",
    Cause.EXEMPLARS: r"\bexemplars?\b",
    Cause.LABEL_VALUE: r"label[ -]value[^;]{0,40}(too[ -]long|exceeds)",
    Cause.METADATA: r"metadata[^;]{0,40}(too[ -]long|exceeds)|metadata limit|max-metadata",
    Cause.TOO_MANY_LABELS: r"too many labels|label[ -]names[ -]per[ -](info[ -])?series|number of labels",
    Cause.NAME: (
        r"invalid (metric|label) name|invalid label\b|(metric-name|label)-invalid|not a valid (metric|label) name"
    ),
    Cause.REQUEST_RATE: (
        r"request rate|max-request-rate|too many (inflight|in-flight|concurrent) (push |write )?requests"
    ),
    Cause.TOO_MANY_SERIES: (
        r"series limit|max-(active-|global-)?series|too many (active )?series|limit of \d+ (active )?series"
    ),
    Cause.CLOCK: r"too[ -]far[ -]in[ -](the[ -])?future|timestamp too new|start timestamp is after",
    Cause.OUT_OF_ORDER: (
        r"out[ -]of[ -]order|duplicate (sample|timestamp)|duplicate-timestamp|(same|repeated) timestamp"
        r"|more recent timestamp"
    ),
    Cause.TOO_OLD: r"too[ -]old|too[ -]far[ -]in[ -](the[ -])?past|out of bounds",
}
_WORDS_OF_ANY = tuple((cause, re.compile(words)) for cause, words in _WORDS.items())
_SAYS_TOO_LARGE = r"\b(message|body|entity|payload)\b[^;]{0,60}(too (large|big)|(larger|bigger) than)"
_TOO_LARGE = re.compile(
    rf"{_SAYS_TOO_LARGE}"
    r"|\b(message|body|entity|payload|request|packet|(de|un)co(mpress|d)ed (length|block|size|data))\b"
    r"[^;]{0,60}(too (large|big)|exceed(s|ing|ed)?\b|(larger|bigger) than)"
    r"|too (large|big)[^;]{0,30}\b(message|body|entity|payload|request|data)\b"
)
# If the status means "try again later", only clear words count: what a request "exceeds" may be a time.
_TOO_LARGE_FOR_EVER = re.compile(_SAYS_TOO_LARGE)
_WANTS_TLS = re.compile(
    r"http request (to an https|was sent to (an? )?(https|ssl|tls))|plain http (to|on) (an )?(ssl|tls|https)"
    r"|combination of host and port requires tls"
)
_DEMANDS_TLS = re.compile(r"\b(ssl|tls|https) (is |connection )?required\b|\brequires (ssl|tls|https)\b")
_AWS = re.compile(
    r"\baps:|missing authentication token|request signature|security token included|credential should be scoped"
    r"|unable to determine service/operation|access key id\b|not a valid key=value pair|\barn:aws"
    r"|with an explicit deny|authorization header requires '(credential|signature|signedheaders)' parameter"
    r"|(access ?denied|unrecognized ?client|(invalid|incomplete) ?signature|expired ?token|invalid ?client ?token ?id"
    r"|missing ?authentication ?token) ?exception"
)
_AWS_HOST = re.compile(r"://aps-workspaces[^/]*\.(amazonaws\.com|api\.aws)")
_AZURE = re.compile(
    r"data collection (rule|endpoint)|\bdcr-|login\.(microsoftonline|windows|chinacloudapi)|monitor\.azure\."
    r"|\baadsts[0-9]|\binvalid ?audience\b|\binvalid ?authentication ?token|monitoring metrics publisher"
)
_AZURE_HOST = re.compile(r"://[^/]*\.ingest\.monitor\.azure\.")
_BY_STATUS: dict[int, Cause] = {
    HTTPStatus.UNAUTHORIZED: Cause.CREDENTIALS,
    HTTPStatus.FORBIDDEN: Cause.CREDENTIALS,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Cause.PROXY_CREDENTIALS,
    HTTPStatus.NOT_FOUND: Cause.PATH,
    HTTPStatus.METHOD_NOT_ALLOWED: Cause.PATH,
    HTTPStatus.CONFLICT: Cause.OUT_OF_ORDER,  # Thanos: with samples that it has, whatever else it says of them
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Cause.TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Cause.PROTOCOL,
    HTTPStatus.TOO_MANY_REQUESTS: Cause.RATE_LIMIT,
}
_LESS_THAN_WORDS = {None, Cause.RATE_LIMIT, Cause.PATH, Cause.OUT_OF_ORDER}
"""What a status says and words may say better."""
_MAY_BE_TOO_LARGE: dict[int, re.Pattern[str]] = {
    HTTPStatus.BAD_REQUEST: _TOO_LARGE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _TOO_LARGE,
    # What gRPC's ResourceExhausted becomes.
    HTTPStatus.TOO_MANY_REQUESTS: _TOO_LARGE_FOR_EVER,
    HTTPStatus.INTERNAL_SERVER_ERROR: _TOO_LARGE_FOR_EVER,
}
_MAY_DEMAND_TLS = {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UPGRADE_REQUIRED}

_HTML = re.compile(
    rb"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*"
    rb"<(!doctype html|html|head|body|title|meta|script|style|link|base|noscript|iframe"
    rb"|h[1-6]|p|br|hr|a|b|i|em|strong|span|font|pre|center|div|main|section|article|header|nav|form|img|table|ul|ol)\b",
    re.IGNORECASE | re.DOTALL,
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_SAYS_FAILED = {
    *("error", "errored", "fail", "failed", "failure", "denied", "rejected"),
    *("unauthorized", "unauthenticated", "forbidden"),
}
_OUTCOMES = ("status", "result", "type", "state")
_CODES = ("status", "code", "statuscode", "status_code")
_ERRORS = ("error", "errors", "errortype", "error_type", "errormessage", "error_message", "error_description", "fault")
_FAILED_IN_A_CUT_BODY = re.compile(
    rb'^\s*\{\s*("[^"]*"\s*:\s*("[^"]*"|\w+)\s*,\s*)*'
    rb'"(status"\s*:\s*"(error|fail|failed|failure)"|errors?"\s*:\s*["{\[])',
    re.IGNORECASE,
)


def cause_of(status: int, body: bytes, headers: Mapping[str, str], *, receiver: str = "") -> Cause:
    """Return the cause of an answer other than 2xx.

    Args:
        status: The HTTP status.
        body: The beginning of the text.
        headers: Names in any case.
        receiver: The URL of the request.
    """
    text = body.decode("utf-8", "replace").lower()
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Cause.REDIRECT
    if _wants_tls(status, text, receiver):
        return Cause.WANTS_TLS
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _cloud(f"{text} {headers.get('WWW-Authenticate', '').lower()}", headers, receiver) or Cause.CREDENTIALS
    said = next((cause for cause, words in _WORDS_OF_ANY if words.search(text)), None)
    if said is None and status in _MAY_BE_TOO_LARGE and _MAY_BE_TOO_LARGE[status].search(text):
        return Cause.TOO_LARGE
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Cause.NATIVE_HISTOGRAMS if "histogram" in text else Cause.UNAVAILABLE
    by_status = _BY_STATUS.get(status)
    return said if said and by_status in _LESS_THAN_WORDS else by_status or Cause.REJECTED


def _wants_tls(status: int, text: str, receiver: str) -> bool:
    if status == HTTPStatus.BAD_REQUEST and _WANTS_TLS.search(text):
        return True
    return status in _MAY_DEMAND_TLS and receiver.startswith("http:") and bool(_DEMANDS_TLS.search(text))


def _cloud(text: str, headers: Mapping[str, str], receiver: str) -> Cause | None:
    if _AWS_HOST.search(receiver) or _AWS.search(text) or any(name.lower().startswith("x-amzn-") for name in headers):
        return Cause.AWS_CREDENTIALS
    if _AZURE_HOST.search(receiver) or _AZURE.search(text):
        return Cause.AZURE_CREDENTIALS
    return None


def is_no_receivers(body: bytes) -> bool:
    """Return whether an answer of 2xx is not a receiver's, but a page for people or an error in JSON.

    A receiver usually accepts with an empty body; a custom receiver may return any other text.

    Args:
        body: The beginning of the text.
    """
    if encoding := _UTF_16.get(body[:2]):
        body = body[2:].decode(encoding, "replace").encode("utf-8", "replace")
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if _HTML.match(body):
        return True
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return bool(_FAILED_IN_A_CUT_BODY.match(body))
    return any(isinstance(each, dict) and _says_failed(each) for each in (said if isinstance(said, list) else [said]))


def _says_failed(said: Mapping[str, object]) -> bool:
    fields = {name.lower(): value for name, value in said.items()}
    texts = {name: value.lower() if isinstance(value, str) else "" for name, value in fields.items()}
    status = fields.get("status")
    return (
        any(texts.get(name) in _SAYS_FAILED for name in _OUTCOMES)
        or any(_is_error_code(fields.get(name)) for name in _CODES)
        or any(fields.get(name) for name in _ERRORS)
        or any(fields.get(name) is False or texts.get(name) == "false" for name in ("success", "ok"))
        or (isinstance(status, dict) and any(_is_error_code(status.get(name)) for name in _CODES))
    )


def _is_error_code(value: object) -> bool:
    """Return whether a value is an HTTP error status."""
    text = str(value) if isinstance(value, int | str) else ""
    return bool(re.fullmatch("[45][0-9]{2}", text))
