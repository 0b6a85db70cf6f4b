"""Settings that are valid and yet most likely a mistake: seconds for milliseconds, quotes, a doubled prefix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from ..messages.shown import shown_value
from .endpoint_settings import RESERVED_HEADERS
from .settings import Settings, rows, variable
from .text_types import unexpanded
from .translation_strategy import TranslationStrategy

_METRIC_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"

_SHORT_TIMEOUT = 1000  # milliseconds; a shorter time was most likely meant in seconds
_SHORT_PERIOD = 100
_LONGEST_INTERVAL = 240_000  # milliseconds; to PromQL a series ends 5 minutes after its last sample
_NEVER = 3_600_000  # milliseconds; an hour or longer means no periodic export: only a flush or the last one


def doubts(settings: Settings, given: Mapping[str, object], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each setting that is used as it is, though it is most likely a mistake.

    Args:
        settings: As they were read, before they are cleaned.
        given: The keywords among them.
        environ: The environment.
    """
    yield from _times(settings, given)
    yield from _secrets(settings, given)
    yield from _quotes(settings, given, environ)
    for header in settings.headers:
        if header.lower() in RESERVED_HEADERS:
            yield f"{_called('headers', given)} sets {header}, which the protocol sets; it is ignored"
    yield from _namespace(settings.namespace, settings.translation_strategy, _called("namespace", given))


def in_seconds(name: str, milliseconds: int) -> str:
    """Return the sentence for a number of milliseconds that was probably meant in seconds."""
    return f"{name}={milliseconds} is in milliseconds; did you mean seconds? Then set {milliseconds * 1000}"


def interval_doubt(name: str, milliseconds: float) -> str:
    """Return what is doubtful about an export interval, as a sentence; empty if nothing is.

    Args:
        name: The setting, as the user wrote it.
        milliseconds: The interval.
    """
    if 0 < milliseconds < _SHORT_PERIOD:
        return in_seconds(name, round(milliseconds))
    if _LONGEST_INTERVAL < milliseconds < _NEVER:
        return (
            f"{name}={milliseconds:.0f} is above {_LONGEST_INTERVAL} (4 minutes): PromQL looks back 5 minutes, so "
            "graphs will have gaps and alerts may not fire"
        )
    return ""


def timeout_doubt(name: str, milliseconds: float) -> str:
    """Return what is doubtful about a timeout, as a sentence; empty if nothing is.

    Args:
        name: The setting, as the user wrote it.
        milliseconds: The timeout.
    """
    return in_seconds(name, round(milliseconds)) if 0 < milliseconds < _SHORT_TIMEOUT else ""


def _called(name: str, given: Mapping[str, object]) -> str:
    keyword = rows()[name].keyword
    return keyword if keyword.partition(".")[0] in given else variable(name)


def _times(settings: Settings, given: Mapping[str, object]) -> Iterator[str]:
    if "timeout" not in given and (doubt := timeout_doubt(variable("timeout"), settings.timeout * 1000)):
        yield doubt  # the keyword is in seconds
    if settings.shutdown_timeout < _SHORT_PERIOD:
        yield in_seconds(_called("shutdown_timeout", given), settings.shutdown_timeout)
    if "max_backoff" not in given and settings.max_backoff < _SHORT_PERIOD:
        yield in_seconds(variable("max_backoff"), settings.max_backoff)
    if "max_buffered_age" not in given and 0 < settings.max_buffered_age < _SHORT_TIMEOUT:
        yield in_seconds(variable("max_buffered_age"), settings.max_buffered_age)
    if doubt := interval_doubt(_called("interval", given), settings.interval or 0):
        yield doubt
    if settings.min_backoff > settings.max_backoff:
        yield (
            f"{_called('min_backoff', given)}={settings.min_backoff} is above {_called('max_backoff', given)} "
            f"({settings.max_backoff}), so every retry waits that long: raise the one or lower the other"
        )


def _secrets(settings: Settings, given: Mapping[str, object]) -> Iterator[str]:
    texts = {
        "username": settings.username.reveal(),
        "password": settings.password.reveal(),
        "headers": "\0".join(settings.headers.values()),
        "oauth2_client_secret": settings.oauth2_client_secret.reveal(),
        "oauth2_params": "\0".join(settings.oauth2_params.values()),
        "endpoint": _userinfo(settings.endpoint),
        "proxies": "\0".join(map(_userinfo, (settings.proxies or {}).values())),
    }
    for name, text in texts.items():
        if unexpanded(text):  # the sentence would show part of the secret
            reason = "looks like it still holds a reference such as $(NAME) that was not expanded"
            yield f"{_called(name, given)} {reason}; it is used unchanged"
    if not (token := settings.bearer_token.reveal()):
        return
    if bearer_prefix(token):
        yield f"{_called('bearer_token', given)} begins with 'Bearer', which is added anyway; only the token is used"
    if re.search(r"\s", token[len(bearer_prefix(token)) :].strip()):
        yield f"{_called('bearer_token', given)} holds white space, which no token does; it is used unchanged"


def _userinfo(url: str) -> str:
    return unquote(urlsplit(url).netloc.rpartition("@")[0])


def bearer_prefix(token: str) -> str:
    """Return the scheme's name at the beginning of a bearer token: a whole header was pasted."""
    if not token:
        return ""
    match = re.match(r"\s*(?:authorization:\s*)?bearer\s+", token, re.IGNORECASE)
    return match[0] if match else ""


def quoted(text: str) -> bool:
    """Return whether a text is in quotes, which a shell would have removed."""
    return len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"


def _quotes(settings: Settings, given: Mapping[str, object], environ: Mapping[str, str]) -> Iterator[str]:
    pairs = {"headers": settings.headers, "external_labels": settings.external_labels}
    for name, row in rows().items():
        text = environ.get(variable(name), "").strip()
        in_pairs = any(map(quoted, pairs.get(name, {}).values()))
        if row.keyword.partition(".")[0] in given or not (quoted(text) or in_pairs):
            continue
        where = "holds a value in quotes, which are part of it" if in_pairs else "is in quotes, which are part of it"
        yield f"{variable(name)} {where}: remove them unless they are meant"


def _namespace(namespace: str, strategy: str, called: str) -> Iterator[str]:
    if not namespace or not TranslationStrategy(strategy).escapes:
        return
    shown = f"{called}={namespace[:60]!r}" if shown_value(namespace) else called
    if not re.fullmatch(_METRIC_NAME, namespace):
        reason = "is not a valid beginning of a Prometheus name (letters, digits, underscores; no digit first)"
        yield f"{shown} {reason}; receivers may refuse it"
    elif namespace.endswith("_"):
        yield f"{shown} ends with an underscore, and one is added anyway: remove it"
