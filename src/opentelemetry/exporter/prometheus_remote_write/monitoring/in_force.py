"""How names are written in this environment."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import metadata

from ..configuration.loading import load
from ..configuration.sdk_variables import common_interval
from ..configuration.settings import Settings
from ..configuration.translation_strategy import TranslationStrategy
from ..version import DISTRIBUTION
from .names import Names


def names_in_force(environ: Mapping[str, str]) -> Names:
    """Return the names that an application with this environment pushes.

    Args:
        environ: The environment; invalid settings get their defaults, as in the application, which logs them.
    """
    settings, _ = load({}, environ)
    return Names(
        strategy=TranslationStrategy(settings.translation_strategy),
        namespace=settings.namespace,
        interval=(settings.interval or common_interval(environ)) / 1000,
        repository=repository(),
        buffered_bytes=settings.max_buffered_bytes,
        buffered_seconds=settings.max_buffered_age / 1000,
        target_info=not settings.disable_target_info,
        native=_has_native_histograms(settings),
    )


def repository() -> str:
    """Return the repository's address from the installed distribution's metadata."""
    urls: list[str] = metadata(DISTRIBUTION).get_all("Project-URL") or []
    return next((url.partition(", ")[2] for url in urls if url.startswith("Repository, ")), "")


def _has_native_histograms(settings: Settings) -> bool:
    return settings.convert_histograms_to_nhcb or settings.default_histogram_aggregation.startswith("base2_")
