"""OpenTelemetry units (UCUM, case sensitive) as the words that Prometheus uses.

The words are the OpenTelemetry specification's ("Prometheus and OpenMetrics Compatibility", Metric Metadata); a unit is
split and cleaned as in Prometheus's otlptranslator.
"""

from __future__ import annotations

import re

_WORDS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tebibytes",
    "kBy": "kilobytes",
    "KBy": "kilobytes",  # not UCUM, but long accepted by other translators
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "%": "percent",
    "1": "",
}
_WORDS_AFTER_PER = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
_ILLEGAL = re.compile("[^A-Za-z0-9:]+")


def unit_words(unit: str) -> tuple[str, str]:
    """Return the words for both halves of a unit, either of which may be empty.

    ``By/s`` becomes ``bytes`` and ``per_second``. A half with an annotation, such as ``{request}``, becomes empty; a
    half without a word of its own stays as it is.

    Args:
        unit: An instrument's unit.
    """
    measured, _, by = unit.partition("/")
    main = _word(measured, _WORDS)
    per = _word(by, _WORDS_AFTER_PER)
    return main, per and f"per_{per}"


def legal_unit_word(word: str) -> str:
    """Return the word with each run of invalid characters as one ``_``, and none in front.

    Args:
        word: One of the two that `unit_words` gives.
    """
    return _ILLEGAL.sub("_", word).removeprefix("_")


def _word(half: str, words: dict[str, str]) -> str:
    half = half.strip()
    if "{" in half or "}" in half:
        return ""
    return words.get(half, half)
