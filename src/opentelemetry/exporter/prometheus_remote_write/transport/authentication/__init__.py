"""How we say who we are: one seam, and a small implementation of it for each way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...configuration.contradictions import way_to_authenticate
from ...configuration.settings import Settings
from ..renewal_failures import RenewalFailures
from .outgoing import Outgoing


class Authentication(Protocol):
    """A way to authenticate; used by several threads at once."""

    def headers(self, request: Outgoing) -> Mapping[str, str]:
        """Return the headers that authenticate a request, within its deadline.

        Args:
            request: Without these headers.

        Raises:
            SendError: There are no credentials.
        """

    def refused(self) -> None:
        """Take note that the receiver has answered 401 or 403, so that the next headers are made of what is new."""


class NoAuthentication:
    """For receivers that ask for none, and for users who set the header themselves."""

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
        failures: Where it is counted that a secret could not be renewed.
    """
    # Each is imported late: nobody pays for a way that is not used.
    match way_to_authenticate(settings):
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
