"""How we say who we are: one seam, and a small implementation of it for each way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...configuration.settings import Settings
from .basic import Basic
from .bearer import Bearer
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


def authentication(settings: Settings) -> Authentication:
    """Return the way to authenticate that the settings name."""
    if settings.bearer_token or settings.bearer_token_file:
        return Bearer(settings)
    if settings.username or settings.password or settings.password_file:
        return Basic(settings)
    return NoAuthentication()
