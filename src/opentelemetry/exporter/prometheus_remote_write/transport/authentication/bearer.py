"""A token that the user gives us (RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping

from ...configuration.doubts import bearer_prefix
from ...configuration.settings import Settings, variable
from ...messages.own_logger import OwnLogger
from ..mounted_file import secret_file
from .outgoing import Outgoing

_logger = OwnLogger(__name__)


class Bearer:
    """A token, which may stand in a file that changes.

    Args:
        settings: With the token or its file.
    """

    def __init__(self, settings: Settings) -> None:
        self._token, path = settings.bearer_token, settings.bearer_token_file
        self._file = secret_file(variable("bearer_token_file"), path) if path else None
        self._told = False

    def headers(self, _request: Outgoing) -> Mapping[str, str]:
        """Return the header Authorization.

        Raises:
            Unsendable: The file with the token cannot be used, and never could.
        """
        token = self._token.reveal()
        if self._file:
            token = self._without_scheme(self._file.current())
        return {"Authorization": f"Bearer {token}"}

    def _without_scheme(self, text: str) -> str:
        prefix = bearer_prefix(text)
        if prefix and not self._told:
            self._told = True
            name = variable("bearer_token_file")
            _logger.warning("%s: the file begins with 'Bearer', which is added by itself; only the token is used", name)
        return text[len(prefix) :].strip()

    def refused(self) -> None:
        """Have the file read again: the token may have been exchanged."""
        if self._file:
            self._file.renew()
