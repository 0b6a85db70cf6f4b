"""The four strategies for writing names: a setting chooses one, translation applies it."""

from __future__ import annotations

from enum import Enum


class TranslationStrategy(Enum):
    """How names are translated, in the words of Prometheus's own ``translation_strategy``."""

    UNDERSCORE_ESCAPING_WITH_SUFFIXES = "UnderscoreEscapingWithSuffixes"
    UNDERSCORE_ESCAPING_WITHOUT_SUFFIXES = "UnderscoreEscapingWithoutSuffixes"
    NO_UTF8_ESCAPING_WITH_SUFFIXES = "NoUTF8EscapingWithSuffixes"
    NO_TRANSLATION = "NoTranslation"

    # Each member exists once, so identity will do: Enum's own hash is Python code, slower than a label name's lookup.
    __hash__ = object.__hash__

    @property
    def escapes(self) -> bool:
        """Return whether characters that classic Prometheus names cannot contain are replaced by underscores."""
        return self in _ESCAPING


_ESCAPING = (
    TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES,
    TranslationStrategy.UNDERSCORE_ESCAPING_WITHOUT_SUFFIXES,
)
