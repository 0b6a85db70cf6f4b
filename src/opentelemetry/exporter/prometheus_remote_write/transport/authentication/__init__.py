"""How we say who we are: one seam, and a small implementation of it for each way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...configuration.contradictions import way_to_authenticate
from ...configuration.settings import Settings
from .azure import Azure
from .basic import Basic
from .bearer import Bearer
from .oauth2 import OAuth2
from .outgoing import Outgoing
from .sigv4 import SigV4


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


def authentication(settings: Settings, environ: Mapping[str, str]) -> Authentication:
    """Return the way to authenticate that the settings name.

    Args:
        settings: The exporter's.
        environ: The environment.
    """
    match way_to_authenticate(settings):
        case "basic":
            return Basic(settings)
        case "bearer":
            return Bearer(settings)
        case "sigv4":
            return SigV4(settings, environ)
        case "azure":
            return Azure(settings, environ)
        case "oauth2":
            return OAuth2(settings, environ)
    return NoAuthentication()
