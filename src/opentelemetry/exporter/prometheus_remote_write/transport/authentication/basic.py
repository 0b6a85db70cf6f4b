"""User name and password (RFC 7617)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import unquote

from ...configuration.settings import Settings, variable
from ..mounted_file import secret_file
from ..renewal_failures import RenewalFailures
from .outgoing import Outgoing


def basic(username: str, password: str) -> str:
    """Return the header's value for a user name and a password, both written as UTF-8."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")


def basic_from_userinfo(userinfo: str) -> str:
    """Return the header's value for ``user:password`` from a URL, percent-encoded."""
    username, _, password = userinfo.partition(":")
    return basic(unquote(username), unquote(password))


class Basic:
    """A user name with a password, which may be in a file that changes.

    Args:
        settings: The user name, and the password or its file.
        failures: Where failed reads of the file are counted.
    """

    def __init__(self, settings: Settings, failures: RenewalFailures) -> None:
        self._username, self._password = settings.username, settings.password
        path = settings.password_file
        self._file = secret_file(variable("password_file"), path, failures.of("password_file")) if path else None

    def headers(self, _request: Outgoing) -> Mapping[str, str]:
        """Return the header Authorization.

        Raises:
            Unsendable: The password file cannot be used, and never could.
        """
        password = self._password.reveal()
        if self._file:
            password = self._file.current()
        return {"Authorization": basic(self._username.reveal(), password)}

    def refused(self) -> None:
        """Make the next request read the file again: the password may have changed."""
        if self._file:
            self._file.renew()
