"""What delivery needs from a transport, ours or a user's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Response(NamedTuple):
    """An answer that accepts a request.

    Args:
        status: 2xx.
        headers: Names in any case.
    """

    status: int
    headers: Mapping[str, str]


class BaseTransport:
    """Carries requests to the receiver. A subclass must define :meth:`post`; the others do nothing by default."""

    def post(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Response:
        """Send one request and wait for the answer; called from several threads at once.

        Args:
            body: The whole body.
            headers: Those of the protocol; they override all others.
            timeout: Seconds for everything.

        Raises:
            SendError: It was not accepted; the type says whether to try again.
        """
        raise NotImplementedError

    def interrupt(self) -> None:
        """End the requests in flight, from another thread; until :meth:`resume` every request fails at once."""

    def resume(self) -> None:
        """End the interruption."""

    @property
    def renewal_failures(self) -> Mapping[str, int]:
        """How often each secret or certificate could not be renewed; for self-metrics."""
        return {}

    def close(self) -> None:
        """Close connections."""

    def after_fork(self) -> None:
        """Forget the parent's connections; called in a forked child before its first request."""
