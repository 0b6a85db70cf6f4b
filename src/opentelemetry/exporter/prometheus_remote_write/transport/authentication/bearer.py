"""A token that the user provides (RFC 6750)."""

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
    """A token, which may be in a file that changes.

    Args:
        settings: The token or its file.
        failures: Where failed reads of the file are counted.
    """

    def __init__(self, settings: Settings, failures: RenewalFailures) -> None:
        self._token, setting, path = settings.bearer_token, "bearer_token_file", settings.bearer_token_file
        self._settings = settings
        self._file = (
            secret_file(variable(setting), path, failures.of(setting), cleaned=self._without_scheme) if path else None
        )
        self._has_warned = False

    def headers(self, _request: Outgoing) -> Mapping[str, str]:
        """Return the header Authorization.

        Raises:
            Unsendable: The token file cannot be used, and never could.
        """
        token = self._token.reveal()
        if self._file:
            token = self._file.current()
        return {"Authorization": f"Bearer {token}"}

    def _without_scheme(self, text: str) -> str:
        prefix = bearer_prefix(text)
        if prefix and not self._has_warned:
            self._has_warned = True
            name = variable("bearer_token_file")
            _logger.warning("%s: the file begins with 'Bearer', which is added anyway; only the token is used", name)
        token = text[len(prefix) :].strip()
        if token.lower() in {"", "bearer"}:  # written as Bearer $TOKEN with an empty TOKEN
            settings = self._settings
            raise unusable(variable("bearer_token_file"), settings.bearer_token_file, "holds Bearer without a token")
        return token

    def refused(self) -> None:
        """Make the next request read the file again: the token may have changed."""
        if self._file:
            self._file.renew()
