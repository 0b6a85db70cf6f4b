"""Signature Version 4 verified, written from Amazon's documentation ("Create a signed AWS API request").

Nothing of botocore is used, so that a mistake in how we use it is seen.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, quote, urlsplit

ALLOWED_SKEW = timedelta(minutes=5)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


class Refused(Exception):
    """A request whose signature is not right; the text is Amazon's, or says which rule is broken."""


def verify(request, keys, *, region, service, now=None):
    """Verify a request.

    Args:
        request: With method, target, headers in lower case, and body.
        keys: By access key id: the secret key, and the session's token or None.
        region: For which it has to be signed.
        service: For which it has to be signed.
        now: The time of the server.

    Returns:
        The access key's id and the names of the headers that are signed.
    """
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        raise Refused("Missing Authentication Token")
    names = found["names"].split(";")
    moment = request.headers.get("x-amz-date", "")
    signed_at = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    if abs((now or datetime.now(timezone.utc)) - signed_at) > ALLOWED_SKEW:
        raise Refused(f"Signature expired: {moment} is now earlier than another time")
    if (found["date"], found["region"], found["service"]) != (moment[:8], region, service):
        raise Refused("Credential should be scoped to a valid date, region and service")
    if found["key"] not in keys:
        raise Refused("The security token included in the request is invalid.")
    secret, token = keys[found["key"]]
    if request.headers.get("x-amz-security-token") != token:
        raise Refused("The security token included in the request is invalid.")
    if names != sorted(names) or "host" not in names:
        raise Refused("the host has to be signed, and the names be in order")
    if unsigned := {name for name in request.headers if name.startswith("x-amz-")} - {*names}:
        raise Refused(f"{unsigned} have to be signed")
    scope = f"{found['date']}/{region}/{service}/aws4_request"
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(_canonical(request, names).encode()).hexdigest()]
    )
    key = f"AWS4{secret}".encode()
    for part in (found["date"], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), found["signature"]):
        raise Refused("The request signature we calculated does not match the signature you provided.")
    return found["key"], set(names)


def _canonical(request, names):
    parts = urlsplit(request.target)
    # Each segment of the path as it is sent is encoded once more: only S3 does not.
    path = quote(parts.path or "/", safe="/-_.~")
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True))
    )
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    payload = hashlib.sha256(request.body).hexdigest()
    return "\n".join([request.method, path, query, headers, ";".join(names), payload])
