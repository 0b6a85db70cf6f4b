"""OpenTelemetry's names of metrics, units and labels as Prometheus's.

The OpenTelemetry specification defines the names ("Prometheus and OpenMetrics Compatibility"); where it leaves room,
Prometheus's otlptranslator decides, so that a metric has the same name on whichever path it arrives.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

from ..configuration.translation_strategy import TranslationStrategy
from ..errors import Untranslatable
from ..messages.text import valid_text
from .units import legal_unit_word, unit_words

_NAME_TOKEN = re.compile("[A-Za-z0-9:]+")
_LEGAL_IN_NAME = re.compile("[A-Za-z0-9:_]+")
_ILLEGAL_IN_LABEL = re.compile("[^A-Za-z0-9]+")  # an underscore is valid, but a run of them becomes one
_LABEL_NAMES_KEPT = 4096  # applications have a few dozen; the bound is for those that generate them


class MetricKind(Enum):
    """The kind of a metric, as far as its name depends on it."""

    GAUGE = auto()
    COUNTER = auto()
    """A monotonic sum."""
    UP_DOWN_COUNTER = auto()
    """A sum that is not monotonic."""
    HISTOGRAM = auto()
    """With explicit or with exponential buckets."""
    UNKNOWN = auto()


def metric_name(name: str, unit: str, kind: MetricKind, strategy: TranslationStrategy, namespace: str = "") -> str:
    """Return the name of the metric family; the series of a classic histogram add ``_bucket``, ``_sum`` or ``_count``.

    Args:
        name: The instrument's name.
        unit: The instrument's unit.
        kind: What the instrument measures; a counter's name ends in ``total``, a gauge's with unit ``1`` in ``ratio``.
        strategy: How to translate.
        namespace: A prefix. As in Prometheus it is escaped only if no suffixes are added: it is the user's own word and
            should already be valid.

    Raises:
        Untranslatable: The name has no valid character.
    """
    name, unit, namespace = valid_text(name), valid_text(unit), valid_text(namespace)
    match strategy:
        case TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES:
            translated = _escaped_with_suffixes(name, unit, kind, namespace)
        case TranslationStrategy.UNDERSCORE_ESCAPING_WITHOUT_SUFFIXES:
            translated = _escaped(name, namespace)
        case TranslationStrategy.NO_UTF8_ESCAPING_WITH_SUFFIXES:
            translated = _with_suffixes(_prefixed(name, namespace), unit, kind)
        case TranslationStrategy.NO_TRANSLATION:
            translated = _prefixed(name, namespace)
    vanished = strategy.escapes and translated != name and not translated.strip("_")
    if vanished or not translated:
        raise Untranslatable(
            "name", f"metric {name!r} has no character that is valid in a Prometheus name; rename it with a view"
        )
    return translated


def unit_word(unit: str, strategy: TranslationStrategy = TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES) -> str:
    """Return the unit for metadata, such as ``bytes_per_second``; empty if there is none.

    Args:
        unit: The instrument's unit.
        strategy: Only whether it escapes matters: if not, a unit without a word of its own stays as it is.
    """
    words = unit_words(valid_text(unit))
    if strategy.escapes:
        words = (legal_unit_word(words[0]), legal_unit_word(words[1]))
    return "_".join(filter(None, words)).removeprefix("_").removesuffix("_")


@lru_cache(maxsize=_LABEL_NAMES_KEPT)
def label_name(key: str, strategy: TranslationStrategy) -> str:
    """Return the name of the label for an attribute.

    When escaped, every run of characters other than letters and digits becomes one underscore, a leading digit gets the
    prefix ``key_``, and a name between double underscores keeps these.

    Args:
        key: The attribute's key.
        strategy: How to translate.

    Raises:
        Untranslatable: The key has no valid character, or is not a string.
    """
    if not isinstance(key, str):
        raise Untranslatable("label name", f"an attribute has a key of type {type(key).__name__}; use a string")
    name = valid_text(key)
    if strategy.escapes:
        name = _escaped_label_name(name)
    if not name.strip("_"):
        raise Untranslatable("label name", f"attribute key {key!r} has no character that is valid in a label name")
    return name


def _prefixed(name: str, namespace: str) -> str:
    return f"{namespace}_{name}" if namespace else name


def _escaped(name: str, namespace: str) -> str:
    legal = "_".join(_LEGAL_IN_NAME.findall(name))
    if namespace:
        return "_".join(_LEGAL_IN_NAME.findall(namespace)) + "_" + legal
    return _without_leading_digit(legal)


def _escaped_with_suffixes(name: str, unit: str, kind: MetricKind, namespace: str) -> str:
    tokens = _NAME_TOKEN.findall(name)
    main, per = map(legal_unit_word, unit_words(unit))
    if main in tokens:
        main = ""
    per = per.removesuffix("_")
    if per == "per" or per in tokens:
        per = ""
    if per:
        main = main.removesuffix("_")
    tokens += filter(None, (main, per))
    if ending := _ending(unit, kind):
        tokens = [token for token in tokens if token != ending]
        tokens.append(ending)
    if namespace:
        tokens.insert(0, namespace)
    return _without_leading_digit("_".join(tokens))


def _with_suffixes(name: str, unit: str, kind: MetricKind) -> str:
    main, per = unit_words(unit)
    ending = _ending(unit, kind)
    for suffix in (ending, per):
        name = _without_suffix(name, suffix)
    if not name.endswith(main):
        name = f"{name}_{main}"
    for suffix in (per, ending):
        if suffix:
            name = f"{name}_{suffix}"
    return name


def _ending(unit: str, kind: MetricKind) -> str:
    if kind is MetricKind.COUNTER:
        return "total"
    # Only gauges: "1" is also widely used for counts of things.
    return "ratio" if kind is MetricKind.GAUGE and unit == "1" else ""


def _without_suffix(name: str, suffix: str) -> str:
    """Return the name without the suffix and the delimiter before it, such as ``_`` or ``.``, if it has both.

    A letter or digit is not a delimiter: the specification keeps only what ends in ``_total``, while the
    otlptranslator, which accepts any character as delimiter, turns ``subtotal`` into ``su_total``.
    """
    stem = name.removesuffix(suffix)
    if not suffix or stem == name or len(stem) < len("x_") or stem[-1].isalnum():
        return name
    return stem[:-1]


def _without_leading_digit(name: str) -> str:
    return f"_{name}" if "0" <= name[:1] <= "9" else name


def _escaped_label_name(name: str) -> str:
    if name.startswith("__") and name.endswith("__") and len(name) >= len("____"):
        return f"__{_ILLEGAL_IN_LABEL.sub('_', name[2:-2])}__"
    name = _ILLEGAL_IN_LABEL.sub("_", name)
    return f"key_{name}" if "0" <= name[:1] <= "9" else name
