"""The four ways to write names, which a setting chooses among and translation carries out."""

from __future__ import annotations

from enum import Enum


class TranslationStrategy(Enum):
    """How names are translated, by the words of Prometheus's own ``translation_strategy``."""

    UNDERSCORE_ESCAPING_WITH_SUFFIXES = "UnderscoreEscapingWithSuffixes"
    UNDERSCORE_ESCAPING_WITHOUT_SUFFIXES = "UnderscoreEscapingWithoutSuffixes"
    NO_UTF8_ESCAPING_WITH_SUFFIXES = "NoUTF8EscapingWithSuffixes"
    NO_TRANSLATION = "NoTranslation"

    # Each member exists once. Enum's own hash is Python code, and costs more than the look-up of a label name.
    __hash__ = object.__hash__

    @property
    def escapes(self) -> bool:
        """Return whether what Prometheus's classic names cannot have is replaced by underscores."""
        return self in _ESCAPING

    @property
    def adds_suffixes(self) -> bool:
        """Return whether a metric's name ends in its unit and, for a counter, in ``total``."""
        return self in _SUFFIXING


_ESCAPING = (
    TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES,
    TranslationStrategy.UNDERSCORE_ESCAPING_WITHOUT_SUFFIXES,
)
_SUFFIXING = (
    TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES,
    TranslationStrategy.NO_UTF8_ESCAPING_WITH_SUFFIXES,
)
