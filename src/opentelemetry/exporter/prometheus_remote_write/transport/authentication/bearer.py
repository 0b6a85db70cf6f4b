"""A token that the user gives us (RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping

from ...configuration.settings import Settings, variable
from ..mounted_file import secret_file
from .outgoing import Outgoing


class Bearer:
    """A token, which may stand in a file that changes.

    Args:
        settings: With the token or its file.
    """

    def __init__(self, settings: Settings) -> None:
        self._token, path = settings.bearer_token, settings.bearer_token_file
        self._file = secret_file(variable("bearer_token_file"), path) if path else None

    def headers(self, _request: Outgoing) -> Mapping[str, str]:
        """Return the header Authorization.

        Raises:
            Unsendable: The file with the token cannot be used, and never could.
        """
        token = self._token.reveal()
        if self._file:
            token = self._file.current()
        return {"Authorization": f"Bearer {token}"}

    def refused(self) -> None:
        """Have the file read again: the token may have been exchanged."""
        if self._file:
            self._file.renew()
