"""A token that the user gives us (RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping

from ...configuration.doubts import bearer_prefix
from ...configuration.settings import Settings, variable
from ...messages.own_logger import OwnLogger
from ..mounted_file import secret_file, unusable
from ..renewal_failures import RenewalFailures
from .outgoing import Outgoing

_logger = OwnLogger(__name__)


class Bearer:
    """A token, which may stand in a file that changes.

    Args:
        settings: With the token or its file.
        failures: Where it is counted that the file cannot be used.
    """

    def __init__(self, settings: Settings, failures: RenewalFailures) -> None:
        self._token, setting, path = settings.bearer_token, "bearer_token_file", settings.bearer_token_file
        self._file = secret_file(variable(setting), path, failures.of(setting)) if path else None
        self._settings = settings
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
            _logger.warning("%s: the file begins with 'Bearer', which is added anyway; only the token is used", name)
        token = text[len(prefix) :].strip()
        if token.lower() in {"", "bearer"}:  # written as Bearer $TOKEN, of which nothing was left
            settings = self._settings
            raise unusable(variable("bearer_token_file"), settings.bearer_token_file, "holds Bearer without a token")
        return token

    def refused(self) -> None:
        """Have the file read again: the token may have been exchanged."""
        if self._file:
            self._file.renew()
