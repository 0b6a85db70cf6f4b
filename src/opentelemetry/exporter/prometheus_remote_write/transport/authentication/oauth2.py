"""OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from itertools import chain
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from urllib3.exceptions import HTTPError

from ...configuration.settings import PREFIX, Settings, variable
from ...errors import Retryable, SendError, Unsendable
from ...messages.redaction import Redaction, secrets_of_headers, secrets_of_query
from ...messages.secret import Secret
from ...messages.shown import shown_url
from ..answer import Answer
from ..connection import StaleConnectionError
from ..connections import Connections
from ..failure import send_error
from ..mounted_file import secret_file
from ..renewal_failures import RenewalFailures
from .basic import basic
from .outgoing import Outgoing
from .renewal import LONGEST, Lease, Renewal

_ANSWER_BYTES = 1 << 16
_WRONG_CLIENT = frozenset({"invalid_client", "unauthorized_client"})
_PUBLIC = frozenset({"audience", "resource"})  # parameters that an error's text may name
_ERRORS = _WRONG_CLIENT | {"invalid_request", "invalid_grant", "unsupported_grant_type", "invalid_scope"}  # section 5.2


class _Client(NamedTuple):
    identity: str
    secret: Secret


class OAuth2:
    """A token for the client's id and secret, used until it expires or is refused.

    Args:
        settings: The token's URL, the client, scopes and parameters; TLS and proxies as for the receiver.
        environ: The environment, for the proxies' variables.
        failures: Where failed renewals are counted.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str], failures: RenewalFailures) -> None:
        setting, path = "oauth2_client_secret_file", settings.oauth2_client_secret_file
        self._settings = settings
        self._environ = environ
        self._endpoint = urlsplit(settings.oauth2_token_url)
        self._file = secret_file(variable(setting), path, failures.of(setting)) if path else None
        self._token: Renewal[Secret] = Renewal("The OAuth2 token", self._fetch, on_failure=failures.of("oauth2"))
        self._in_body = False

    def headers(self, _request: Outgoing) -> Mapping[str, str]:
        """Return the header Authorization.

        Raises:
            SendError: There is no token.
        """
        return {"Authorization": f"Bearer {self._token.current().reveal()}"}

    def refused(self) -> None:
        """Request a new token, and read the file with the client's secret again."""
        self._token.refused()
        if self._file:
            self._file.renew()

    def _fetch(self) -> Lease[Secret]:
        try:
            import oauthlib.oauth2  # noqa: F401, PLC0415 - late: only this way to authenticate needs it
        except ImportError:
            raise Unsendable(
                f"{PREFIX}AUTH=oauth2 needs oauthlib: "
                "pip install 'opentelemetry-exporter-prometheus-remote-write[oauth2]'"
            ) from None
        secret = Secret(self._file.current()) if self._file else self._settings.oauth2_client_secret
        client = _Client(self._settings.oauth2_client_id, secret)
        # A different host from the receiver's, so TLS_SERVER_NAME does not apply.
        settings = self._settings.changed(tls_server_name="")
        connections = Connections(self._endpoint, settings, self._environ, answer_bytes=_ANSWER_BYTES)
        try:
            answer = self._asked(connections, client)
            if _refuses_client(answer):
                # A server need not support basic authentication of clients; use what it supports from now on.
                self._in_body = not self._in_body
                other = self._asked(connections, client)
                if _refuses_client(other):
                    self._in_body = not self._in_body
                else:
                    answer = other
        finally:
            connections.close()
        secrets = (client.secret.reveal(), _encoded(client.secret.reveal()))
        params = {name: value for name, value in self._settings.oauth2_params.items() if name not in _PUBLIC}
        own = chain(secrets, secrets_of_headers(params), secrets_of_query(self._endpoint.query))
        return _lease(answer._replace(redaction=Redaction(own)), self._endpoint.geturl())

    def _asked(self, connections: Connections, client: _Client) -> Answer:
        from oauthlib.oauth2 import BackendApplicationClient  # noqa: PLC0415 - see _fetch

        body = BackendApplicationClient(client.identity).prepare_request_body(
            body=urlencode(self._settings.oauth2_params),  # not as keyword arguments, whose names they may shadow
            scope=self._settings.oauth2_scopes or None,
            include_client_id=self._in_body,
            **({"client_secret": client.secret.reveal()} if self._in_body else {}),
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if not self._in_body:  # both are form-encoded first (section 2.3.1)
            headers["Authorization"] = basic(_encoded(client.identity), _encoded(client.secret.reveal()))
        try:
            return connections.exchange(body.encode(), headers)
        except (HTTPError, HTTPException, OSError, ValueError, StaleConnectionError) as cause:
            error = send_error(cause, connections.route, LONGEST)
        raise error  # not inside the handler: its cause, which refers to the request, must not be attached


def _encoded(text: str) -> str:
    return quote(text, safe="")  # a blank as %20, which servers also accept that do not decode a plus sign


def _refuses_client(answer: Answer) -> bool:
    """Return whether the way in which the client authenticates may be at fault.

    A server that does not look at the header says that a parameter is missing, client_id; a gateway in front of one may
    answer 401 in its own words.
    """
    error = _error(answer)
    if answer.status == HTTPStatus.BAD_REQUEST:
        return error in _WRONG_CLIENT or error == "invalid_request"
    return answer.status == HTTPStatus.UNAUTHORIZED and (error in _WRONG_CLIENT or error not in _ERRORS)


def _error(answer: Answer) -> str:
    return _parsed(answer)[1]


def _parsed(answer: Answer) -> tuple[Mapping[str, object], str]:
    """Return the token's fields, and the error's code if there is no token."""
    from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error  # noqa: PLC0415 - see _fetch

    try:
        return BackendApplicationClient("").parse_request_body_response(answer.body.decode()), ""
    except OAuth2Error as error:
        return {}, str(error.error or "")
    except Exception:  # noqa: BLE001 - whatever it is, it is not a token
        return {}, ""


def _lease(answer: Answer, url: str) -> Lease[Secret]:
    issuer = shown_url(url)
    token, error = _parsed(answer)
    text = token.get("access_token")
    if not answer.accepted or not isinstance(text, str) or not text.isprintable() or not text.isascii():
        raise _refusal(answer, error, issuer)
    if str(token.get("token_type", "bearer")).lower() != "bearer":
        raise Unsendable(f"{issuer} issued a token that is not of type Bearer, which cannot be used")
    try:
        # In seconds; without it, the token is used until it is refused.
        life = float(str(token.get("expires_in", "inf")))
    except ValueError:
        life = math.inf
    return Lease(Secret(text), time.time() + life)


def _refusal(answer: Answer, error: str, issuer: str) -> SendError:
    said = answer.redaction.words(answer.body)
    named = f" ({error})" if error in _ERRORS else ""
    message = f"{issuer} issued no token: it answered {answer.status}{named}" + (f": {said}" if said else "")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retryable(message, status=answer.status)
    if error in _WRONG_CLIENT or answer.status == HTTPStatus.UNAUTHORIZED:
        return Unsendable(f"{message} - look at {PREFIX}OAUTH2_CLIENT_ID and {PREFIX}OAUTH2_CLIENT_SECRET (or _FILE)")
    if error == "invalid_scope":
        return Unsendable(f"{message} - look at {PREFIX}OAUTH2_SCOPES")
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return Unsendable(f"{message}; redirects are not followed: set {PREFIX}OAUTH2_TOKEN_URL to where it leads")
    return Unsendable(f"{message} - look at {PREFIX}OAUTH2_TOKEN_URL and {PREFIX}OAUTH2_PARAMS")
