"""What all families of a collection have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..errors import Untranslatable
from ..model.remote_write import Labels
from ..system.time_slice import TimeSlice
from ..translation.series_registry import SeriesRegistry
from ..translation.zero_samples import ZeroSamples


class Context(NamedTuple):
    """What all families of a collection have in common.

    Args:
        labels: Returns the labels to send for a sample's labels.
        registry: Where series are registered.
        other: The registry of the OpenTelemetry metrics, which take precedence.
        drop: Called for what is dropped, with the name of its family.
        zero_samples: Decides on zero samples, if they are sent.
        exemplars: Whether exemplars are sent.
        time_slice: Yields the GIL between pieces of work.
    """

    labels: Callable[[Mapping[str, str]], Labels]
    registry: SeriesRegistry
    other: SeriesRegistry
    drop: Callable[[str, Untranslatable], None]
    zero_samples: ZeroSamples | None
    exemplars: bool
    time_slice: TimeSlice
