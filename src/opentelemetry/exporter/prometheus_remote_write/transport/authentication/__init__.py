"""Authentication: one interface, and a small implementation for each way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...configuration.contradictions import authentication_method
from ...configuration.settings import Settings
from ..renewal_failures import RenewalFailures
from .outgoing import Outgoing


class Authentication(Protocol):
    """A way to authenticate; used by several threads at once."""

    def headers(self, request: Outgoing) -> Mapping[str, str]:
        """Return the headers that authenticate a request, within its deadline.

        Args:
            request: The request without these headers.

        Raises:
            SendError: There are no credentials.
        """

    def refused(self) -> None:
        """Note that the receiver answered 401 or 403, so that the next headers use new credentials."""


class NoAuthentication:
    """No authentication: for receivers that need none, and for users who set the header themselves."""

    def headers(self, _request: Outgoing) -> Mapping[str, str]:
        """Return no header."""
        return {}

    def refused(self) -> None:
        """Do nothing."""


def authentication(settings: Settings, environ: Mapping[str, str], failures: RenewalFailures) -> Authentication:
    """Return the way to authenticate that the settings name.

    Args:
        settings: The exporter's.
        environ: The environment.
        failures: Where failed renewals are counted.
    """
    # Each is imported late, so that unused ones cost nothing.
    match authentication_method(settings):
        case "basic":
            from .basic import Basic  # noqa: PLC0415 - see above

            return Basic(settings, failures)
        case "bearer":
            from .bearer import Bearer  # noqa: PLC0415 - see above

            return Bearer(settings, failures)
        case "sigv4":
            from .sigv4 import SigV4  # noqa: PLC0415 - see above

            return SigV4(settings, environ, failures)
        case "azure":
            from .azure import Azure  # noqa: PLC0415 - see above

            return Azure(settings, environ, failures)
        case "oauth2":
            from .oauth2 import OAuth2  # noqa: PLC0415 - see above

            return OAuth2(settings, environ, failures)
    return NoAuthentication()
