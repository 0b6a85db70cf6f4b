"""The names in OTEL_METRICS_EXPORTER, and which of them mean ours.

The SDK abandons the instrumentation of the whole application over an exporter name that does not match exactly. A name
that can only mean our exporter is corrected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from logging import getLogger

from opentelemetry.environment_variables import OTEL_METRICS_EXPORTER

from opentelemetry_prometheus_remote_write import NAME

_logger = getLogger(__name__)

_GROUP = "opentelemetry_metrics_exporter"
_SHORT = frozenset({"prw", "remotewrite", "promrw", "prometheusrw", "prometheuswrite", "remotewriteprometheus"})
_WHOLE = (NAME.replace("_", ""), "promremotewrite")
_AROUND = re.compile("opentelemetry|otel|metrics?|exporter")  # as in the distribution's name and the class's
_LIKE_OURS = 0.85  # similarity: one or two letters differ


def chosen_exporters(text: str) -> list[str]:
    """Return the names in a comma list, with ours as it is registered however it was spelled.

    Args:
        text: The value of OTEL_METRICS_EXPORTER.
    """
    # Some loaders of .env files keep the quotes around a value; no name contains any.
    bare = text.strip().strip("\"'")
    return list(_names(bare if bare != text.strip() else text))


def _names(text: str) -> Iterator[str]:
    for name in text.split(","):
        word = name.strip().strip("\"'").strip()
        if word in {NAME, "", "none"} or not _means_ours(word):
            yield name if word == name.strip() else word
            continue
        _logger.warning("%s: %r is read as %s, the name of this exporter", OTEL_METRICS_EXPORTER, name.strip(), NAME)
        yield NAME


def _means_ours(word: str) -> bool:
    letters = _AROUND.sub("", re.sub("[^a-z]", "", word.lower()))
    from difflib import SequenceMatcher  # noqa: PLC0415 - late: an application may have a module of that name

    is_like_ours = any(SequenceMatcher(a=letters, b=whole).ratio() >= _LIKE_OURS for whole in _WHOLE)
    return (is_like_ours or letters in _SHORT) and not entry_points(group=_GROUP, name=word)
