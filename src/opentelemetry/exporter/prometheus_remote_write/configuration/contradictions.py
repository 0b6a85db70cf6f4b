"""Settings that are valid alone but contradict each other, or are useless alone: then nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import chain
from urllib.parse import urlsplit

from .settings import PREFIX, Settings, rows

_SIGV4 = ("sigv4_region", "sigv4_profile", "sigv4_role_arn", "sigv4_external_id")
_OAUTH2 = tuple(name for name in rows() if name.startswith("oauth2_"))
_NEEDED = {  # by the chosen way: the groups of settings of which it needs at least one each
    "basic": (("username",), ("password", "password_file")),
    "bearer": (("bearer_token", "bearer_token_file"),),
    "oauth2": (
        ("oauth2_token_url",),
        ("oauth2_client_id",),
        ("oauth2_client_secret", "oauth2_client_secret_file"),
    ),
}

_OF_THE_GRANT = frozenset({"grant_type", "client_id", "client_secret"})  # RFC 6749, sections 4.4.2 and 2.3.1


def contradictions(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the contradictions among settings: the settings, of which the message names the first, and why.

    Args:
        settings: As they were read.
    """
    if not settings.endpoint:
        yield (("endpoint",), "is not set: give it the receiver's write URL")
    yield from _several_ways(settings)
    yield from _incomplete_ways(settings)
    for secret, file in (
        ("password", "password_file"),
        ("bearer_token", "bearer_token_file"),
        ("oauth2_client_secret", "oauth2_client_secret_file"),
    ):
        if getattr(settings, secret) and getattr(settings, file):
            yield ((secret, file), "and the same from a file are both set: keep one")
    if settings.oauth2_token_url:
        yield from _token_url(settings.oauth2_token_url)
    if reserved := sorted(_OF_THE_GRANT.intersection(settings.oauth2_params)):
        yield (("oauth2_params",), f"holds {', '.join(reserved)}, which the token request sets itself")
    if settings.sigv4_external_id and not settings.sigv4_role_arn:
        yield (("sigv4_external_id", "sigv4_role_arn"), "needs the role that asks for it")
    if settings.client_key and not settings.client_certificate:
        yield (("client_key", "client_certificate"), "needs the certificate that belongs to it")


def authentication_method(settings: Settings) -> str:
    """Return the value of AUTH: as it is set, else as the other settings imply; ``none`` if they imply none."""
    return settings.auth or next((way for way, _, _ in _ways(settings) if way != "header"), "none")


def _ways(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield the ways to authenticate that are set: AUTH's value, the setting that implies it, its name in a message."""
    if _has_userinfo(settings.endpoint):
        yield "basic", "endpoint", "its userinfo"
    if settings.username or settings.password or settings.password_file:
        yield "basic", "username", "a user name and password"
    if settings.bearer_token or settings.bearer_token_file:
        yield "bearer", "bearer_token", "a bearer token"
    for way, names, words in (
        ("sigv4", _SIGV4, "SigV4"),
        ("azure", ("azure_scope",), "Azure"),
        ("oauth2", _OAUTH2, "OAuth2"),
    ):
        if name := next((name for name in names if getattr(settings, name)), None):
            yield way, name, words
    if any(name.lower() == "authorization" for name in settings.headers):
        yield "header", "headers", "a header Authorization"


def _has_userinfo(url: str) -> bool:
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:  # which the first request says
        return False


def _several_ways(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    ways = list(_ways(settings))
    if len(ways) > 1:
        others = ", ".join(words for _, _, words in ways)
        names = tuple(name for _, name, _ in ways)
        yield (names, f"is one of several ways to authenticate that are set ({others}): keep one")
        return
    for way, name, words in ways:
        is_own_header = way == "header" and settings.auth == "none"
        if settings.auth and way != settings.auth and not is_own_header:
            yield (("auth", name), f"is {settings.auth}, and another way is set, too ({words}): keep one")


def _incomplete_ways(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    if bool(settings.username) != bool(settings.password or settings.password_file):
        yield (("username", "password", "password_file"), "and a password, or a file with one, go together: set both")
        return
    way = authentication_method(settings)
    if _has_userinfo(settings.endpoint):
        return
    missing = [names for names in _NEEDED.get(way, ()) if not any(getattr(settings, name) for name in names)]
    if missing:
        wanted = " and ".join(" or ".join(f"{PREFIX}{rows()[name].variable}" for name in names) for names in missing)
        first = "auth" if settings.auth else next(name for _, name, _ in _ways(settings))
        yield ((first, *chain.from_iterable(missing)), f"needs {wanted}, too")


def _token_url(url: str) -> Iterator[tuple[tuple[str, ...], str]]:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        yield (("oauth2_token_url",), "holds credentials: put them into OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        yield (("oauth2_token_url",), "must begin with https://: the client's secret would be readable")


def _is_loopback(host: str) -> bool:
    """Return whether a host's name or address is that of this machine, without looking it up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
