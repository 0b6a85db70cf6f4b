"""From keywords and environment variables to settings, with one sentence for each mistake.

A wrong keyword raises an exception, which a programmer will see. A wrong variable never does, because an exception
would end the instrumentation of the whole application: it becomes a :class:`Problem`, and either the default is used
or, where that would be unsafe, nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from ..messages.secret import Secret, SecretMapping
from ..messages.shown import shown_malformed_url, shown_value
from .contradictions import contradictions
from .doubts import bearer_prefix, doubts, quoted
from .endpoint_settings import RESERVED_HEADERS
from .row import Row
from .settings import PREFIX, Settings, rows, variable

if TYPE_CHECKING:
    from ..errors import InvalidSetting

_MAPPINGS = ("basic_auth", "tls_config")


class Problem(NamedTuple):
    """Something wrong with the configuration.

    Args:
        message: One sentence that names the setting and says what to do.
        fatal: Whether nothing may be sent because of it.
    """

    message: str
    fatal: bool


def load(keywords: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Settings, list[Problem]]:
    """Read the settings: each from its keyword, else from its variable, else its default.

    Args:
        keywords: The exporter's arguments; None counts as not given.
        environ: The environment.

    Returns:
        The settings, and the mistakes in the environment.

    Raises:
        InvalidSetting: A keyword has a wrong value, or contradicts another setting. It is a ``ValueError``.
        TypeError: A keyword is unknown or of a wrong type.
    """
    given = {name: value for name, value in keywords.items() if value is not None}
    values, wrong = _from_environment(environ, given)
    settings = Settings(**values, **_from_keywords(given))
    problems = [*wrong.values(), *_unknown_variables(environ)]
    for names, reason in contradictions(settings):
        if wrong.keys() & set(names):  # that problem is the reason
            continue
        if given:
            raise _invalid(f"{rows()[names[0]].keyword} ({variable(names[0])})", reason)
        problems.append(Problem(f"{variable(names[0])} {reason}; nothing is sent", fatal=True))
    wrong_names = {variable(name) for name in wrong}
    sound = {name: text for name, text in environ.items() if name not in wrong_names}
    problems += [Problem(doubt, fatal=False) for doubt in doubts(settings, given, sound)]
    return cleaned(settings), problems


def _invalid(setting: str, reason: str) -> InvalidSetting:
    from ..errors import InvalidSetting  # noqa: PLC0415 - late: most processes start without an error

    return InvalidSetting(setting, reason)


def _from_keywords(given: Mapping[str, object]) -> dict[str, Any]:
    names = {row.keyword: name for name, row in rows().items()}
    values: dict[str, Any] = {}
    for keyword, value in _flattened(given):
        if keyword not in names:
            known = {*names, *_MAPPINGS}
            raise TypeError(f"unknown argument {keyword!r}{_meant(keyword, known)}")
        try:
            values[names[keyword]] = rows()[names[keyword]].type.accept(value)
        except TypeError as error:
            raise TypeError(f"{keyword} {error}") from None
        except ValueError as error:
            raise _invalid(keyword, str(error)) from None
    return values


def _flattened(given: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for keyword, value in given.items():
        if keyword not in _MAPPINGS:
            yield keyword, value
        elif isinstance(value, Mapping):
            yield from ((f"{keyword}.{key}", item) for key, item in value.items() if item is not None)
        else:
            raise TypeError(f"{keyword} must be a mapping, not {type(value).__name__}")


def _from_environment(
    environ: Mapping[str, str], given: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, Problem]]:
    values: dict[str, Any] = {}
    wrong: dict[str, Problem] = {}
    for name, row in rows().items():
        written = environ.get(variable(name), "")
        text = written if row.type.keeps_blanks else written.strip()
        if not text.strip() or row.keyword.partition(".")[0] in given:
            continue
        try:
            values[name] = row.type.parse(text)
        except ValueError as error:
            quotes = "; the quotes around it are part of it: remove them" if quoted(text) else ""
            wrong[name] = _wrong_value(name, row, text, f"{error}{quotes}")
    return values, wrong


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[Problem]:
    known = {row.variable for row in rows().values()}
    for name in sorted(environ):
        word = name.removeprefix(PREFIX)
        if word != name and word not in known:
            yield Problem(f"{name} is not a variable of this exporter{_meant(word, known, PREFIX)}", fatal=False)


def _wrong_value(name: str, row: Row, text: str, reason: str) -> Problem:
    public = _public_part(name, row, text)
    shown = f"={public[:60]!r}" if public else ""
    default = row.default.replace("`", "")
    instead = f"the default is used ({default})" if default != "-" else "it is ignored"
    end = "nothing is sent" if row.guards else instead
    return Problem(f"{variable(name)}{shown} {reason}; {end}", fatal=row.guards)


def _public_part(name: str, row: Row, text: str) -> str:
    """Return what a message may show of a wrong value; empty for nothing."""
    if name == "endpoint":
        return shown_malformed_url(text)
    if row.secret or (name == "auth" and not text.isalnum()):  # user:password
        return ""
    return shown_value(text)


def _meant(word: str, known: set[str], prefix: str = "") -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - late: an application may have a module of that name

    close = get_close_matches(word, known, n=1)
    return f"; did you mean {prefix}{close[0]}?" if close else ""


def cleaned(settings: Settings) -> Settings:
    """Return the settings as they are used: without protocol headers, and without credentials where a log shows them.

    Args:
        settings: As they were read.
    """
    parts = urlsplit(settings.endpoint)
    userinfo, _, host = parts.netloc.rpartition("@")
    headers = {name: value for name, value in settings.headers.items() if name.lower() not in RESERVED_HEADERS}
    token = settings.bearer_token.reveal()
    changed = settings.changed(
        headers=SecretMapping(headers),
        endpoint=urlunsplit(parts._replace(netloc=host)),
        bearer_token=Secret(token[len(bearer_prefix(token)) :].strip()),
    )
    if not userinfo:
        return changed
    username, _, password = userinfo.partition(":")
    return changed.changed(username=Secret(unquote(username)), password=Secret(unquote(password)))
