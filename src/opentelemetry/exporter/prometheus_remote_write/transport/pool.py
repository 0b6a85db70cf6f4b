"""Requests to the receiver over persistent connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from itertools import chain
from urllib.parse import SplitResult, urlsplit, urlunsplit

from urllib3 import exceptions

from ..configuration.settings import Settings, variable
from ..errors import Cause, Retryable, SendError
from ..messages.own_logger import OwnLogger
from ..messages.redaction import Redaction, secrets_of_headers, secrets_of_query
from ..messages.shown import shown_url
from ..model.transport import BaseTransport, Response
from .answer import refusal
from .authentication import authentication
from .authentication.outgoing import Outgoing
from .connection import StaleConnectionError
from .connections import Connections
from .deadline import Deadline, deadline
from .failure import Route, send_error
from .headers import merged, on_the_wire
from .renewal_failures import RenewalFailures
from .rotation import Rotating
from .suppressed_telemetry import suppressed_telemetry
from .traceback import foreign_frames

_logger = OwnLogger(__name__)

_OF_CREDENTIALS = {Cause.CREDENTIALS, Cause.AWS_CREDENTIALS, Cause.AZURE_CREDENTIALS}


class Transport(BaseTransport):
    """Sends requests to one receiver, from any thread; connections are kept from request to request.

    Creating one does no I/O and raises nothing, whatever the settings and the environment contain: each :meth:`post`
    raises what is wrong with them.

    Args:
        settings: Endpoint, headers, authentication, TLS and proxies.
        environ: The environment, for the proxies' variables.
        user_agent: The value of the header User-Agent.
        clock: Seconds since the epoch, for a Retry-After that is a date.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        user_agent: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = _split(settings.endpoint)
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._failures = RenewalFailures()
        self._authentication = authentication(settings, environ, self._failures)
        self._own_headers = {"User-Agent": user_agent}
        self._connections = self._rotating()
        self._inherited: list[Rotating[Connections]] = []
        self._has_warned = False
        self._under_way: set[Deadline] = set()
        self._interrupted = False

    def post(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Response:
        """Send one request and wait for the answer.

        Secrets, certificates and authorities are read from their files' current content. If a file becomes unusable,
        its last valid content stays in use, and a warning is logged. A request that is refused with 401 or 403 is sent
        once more, because a secret may have changed since it was read.

        Args:
            body: The whole body.
            headers: Those of the protocol; they override the user's.
            timeout: Seconds for everything from resolving the name to the answer; infinity is no limit.

        Raises:
            Retryable: The network failed, time was up, a file does not answer and never did, or the receiver answered
                5xx or 429.
            Rejected: The receiver answered something other than 2xx, such as a redirect.
            Unsendable: A file or a proxy cannot be used and never could, or the receiver is not who it should be.
        """
        try:
            with deadline(timeout) as end, self._interruptible(end):
                outcome = self._outcome(body, headers, timeout)
                if isinstance(outcome, SendError) and outcome.cause in _OF_CREDENTIALS:
                    self._authentication.refused()
                    outcome = self._outcome(body, headers, timeout)
        except BaseException as error:  # noqa: BLE001 - raised again below
            # The frames of a request contain its headers, and some tools print local variables of a traceback's frames.
            raise error.with_traceback(foreign_frames(error.__traceback__))  # noqa: B904 - it is the same error
        if isinstance(outcome, SendError):
            raise outcome
        return outcome

    def _outcome(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Response | SendError:
        """Return the answer to a request, or the error if there is none.

        The error is returned, not raised inside a handler: urllib3's exceptions refer to the request, and would be
        attached as its context.
        """
        url = urlunsplit(self._endpoint)
        route = Route(shown_url(url))
        given: Mapping[str, str] = self._settings.headers
        try:
            connections = self._connections.current()
            route = connections.route
            with suppressed_telemetry():
                sent = merged(given, self._own_headers, headers)
                given = merged(given, self._authentication.headers(Outgoing("POST", url, sent, body)))
                answer = connections.exchange(body, on_the_wire(merged(given, self._own_headers, headers)))
        except (exceptions.HTTPError, HTTPException, OSError, ValueError, StaleConnectionError) as cause:
            error = send_error(cause, route, timeout)
            if self._interrupted:
                message = f"{route.receiver} had not answered when the request was given up"
                error = Retryable(message, cause=Cause.TIMEOUT)
            return error
        except SendError as error:  # from authentication, whose frames contain more secrets
            error.__context__ = None
            return error.with_traceback(None)
        if answer.accepted:
            return Response(answer.status, answer.headers)
        secrets = (secrets_of_headers({**given, **connections.proxy_headers}), secrets_of_query(self._endpoint.query))
        redaction = Redaction(chain.from_iterable(secrets))
        return refusal(answer._replace(redaction=redaction), route, self._clock())

    def interrupt(self) -> None:
        """End the requests in flight, from another thread; until :meth:`resume` every request fails at once."""
        self._interrupted = True
        for end in tuple(self._under_way):
            end.interrupt()

    def resume(self) -> None:
        """End the interruption."""
        self._interrupted = False

    def close(self) -> None:
        """Close the connections; those in use close after their requests."""
        before, self._connections = self._connections, self._rotating()
        before.close()

    def after_fork(self) -> None:
        """Forget the parent's connections; called in a forked child before its first request.

        They are neither used nor closed: they stay referenced, because closing takes locks that a thread of the parent
        may have held.
        """
        self._inherited.append(self._connections)
        self._connections = self._rotating()
        self._under_way = set()
        self._interrupted = False
        self._failures.after_fork()

    @property
    def renewal_failures(self) -> Mapping[str, int]:
        """How often each secret or certificate could not be renewed."""
        return self._failures.counts

    @contextmanager
    def _interruptible(self, end: Deadline) -> Iterator[None]:
        self._under_way.add(end)
        try:
            if self._interrupted:
                end.interrupt()
            yield
        finally:
            self._under_way.discard(end)

    def _rotating(self) -> Rotating[Connections]:
        settings = self._settings
        files = (settings.certificate, settings.client_certificate, settings.client_key)
        # New connections replace the old ones, which would keep the old certificates in use.
        on_failure = self._failures.of("certificate") if any(files) else int
        return Rotating(files, self._open, discard=Connections.close, on_failure=on_failure)

    def _open(self) -> Connections:
        connections = Connections(self._endpoint, self._settings, self._environ)
        peers = self._peers_by_tls(connections)
        if self._settings.insecure_skip_verify and peers and not self._has_warned:
            self._has_warned = True
            _logger.warning(
                "%s is set, so TLS verification is disabled: anyone on the path can impersonate %s and read what is "
                "sent, credentials included",
                variable("insecure_skip_verify"),
                " and ".join(peers),
            )
        return connections

    def _peers_by_tls(self, connections: Connections) -> list[str]:
        """Return who would have to prove who they are, for a sentence."""
        peers = [connections.route.receiver] if self._endpoint.scheme == "https" else []
        if connections.tls_proxy:
            peers.append(f"the proxy {connections.tls_proxy}" if peers else connections.tls_proxy)
        if self._settings.oauth2_token_url.lower().startswith("https:"):
            peers.append(f"the token endpoint {shown_url(self._settings.oauth2_token_url)}")
        return peers


def _split(url: str) -> SplitResult:
    """Return the parts of a URL; empty if it is malformed, which the first request will report."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts
