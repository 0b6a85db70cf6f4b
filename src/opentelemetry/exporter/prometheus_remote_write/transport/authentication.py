"""The header Authorization."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote

from ..configuration.settings import Settings, variable
from .secret_file import secret_file


def basic(username: str, password: str) -> str:
    """The value of the header for a user name and a password, both written as UTF-8 (RFC 7617)."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")


def basic_from_userinfo(userinfo: str) -> str:
    """The value of the header for ``user:password`` as it stands in a URL, percent-encoded."""
    username, _, password = userinfo.partition(":")
    return basic(unquote(username), unquote(password))


class Authentication:
    """How we say who we are; where a file holds the secret, with what stands there now.

    Args:
        settings: With one way to authenticate, or none.
        userinfo: ``user:password`` of the endpoint's URL, used where the settings have no other way.
    """

    def __init__(self, settings: Settings, userinfo: str) -> None:
        self._settings = settings
        self._userinfo = userinfo
        self._password_file = secret_file(variable("password_file"), settings.password_file)
        self._token_file = secret_file(variable("bearer_token_file"), settings.bearer_token_file)

    def renew(self) -> None:
        """Reads the file with the secret again when it is next needed, changed or not."""
        self._password_file.renew()
        self._token_file.renew()

    def headers(self) -> dict[str, str]:
        """The header Authorization; nothing where none is wanted, or where it stands among the user's headers.

        Raises:
            Unsendable: The file with the secret cannot be used, and never could.
        """
        given = self._settings
        if given.bearer_token or given.bearer_token_file:
            token = given.bearer_token or self._token_file.current()
            return {"Authorization": f"Bearer {token}"}
        if given.username or given.password or given.password_file:
            password = given.password or (self._password_file.current() if given.password_file else "")
            return {"Authorization": basic(given.username, password)}
        if self._userinfo and not any(name.lower() == "authorization" for name in given.headers):
            return {"Authorization": basic_from_userinfo(self._userinfo)}
        return {}
