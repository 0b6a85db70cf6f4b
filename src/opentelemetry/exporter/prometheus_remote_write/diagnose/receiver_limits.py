"""Which of the pushed series a receiver's limits would refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..model.remote_write import METRIC_NAME, Labels


class ReceiverLimits(NamedTuple):
    """Limits of a receiver; None is no limit.

    Args:
        series: In total.
        labels: Of one series, including its name.
        label_name_length: In characters.
        label_value_length: In characters.
    """

    series: int | None = None
    labels: int | None = None
    label_name_length: int | None = None
    label_value_length: int | None = None


PRESETS = {
    "none": ReceiverLimits(),
    "cortex": ReceiverLimits(labels=30, label_name_length=1024, label_value_length=2048),
    "mimir": ReceiverLimits(series=150_000, labels=30, label_name_length=1024, label_value_length=2048),
    "grafana-cloud": ReceiverLimits(label_name_length=1024, label_value_length=2048),
    "amazon": ReceiverLimits(labels=70),
}
"""The receivers' defaults; an operator may have set others."""


class LimitRefusal(NamedTuple):
    """Series of one metric that a limit would refuse.

    Args:
        limit: The limit, in words.
        metric: The name of the series; empty for all series together.
        series: How many.
        example: How the worst one exceeds it.
    """

    limit: str
    metric: str
    series: int
    example: str


def refusals(all_labels: Iterable[Labels], limits: ReceiverLimits) -> Iterator[LimitRefusal]:
    """Yield the series that limits would refuse.

    Args:
        all_labels: Of the series that were pushed.
        limits: The receiver's.
    """
    series = list(all_labels)
    if limits.series is not None and len(series) > limits.series:
        yield LimitRefusal(f"{limits.series} series", "", len(series) - limits.series, f"there are {len(series)}")
    found: Counter[tuple[str, str]] = Counter()
    worst: dict[tuple[str, str], tuple[int, str]] = {}
    for labels in series:
        name = dict(labels).get(METRIC_NAME, "")
        for limit, size, example in _exceeded(labels, limits):
            key = (limit, name)
            found[key] += 1
            worst[key] = max(worst.get(key, (0, "")), (size, example))
    for (limit, name), count in sorted(found.items()):
        yield LimitRefusal(limit, name, count, worst[limit, name][1])


def _exceeded(labels: Labels, limits: ReceiverLimits) -> Iterator[tuple[str, int, str]]:
    if limits.labels is not None and len(labels) > limits.labels:
        yield f"{limits.labels} labels of a series", len(labels), f"it has {len(labels)}"
    longest_name = max(labels, key=lambda pair: len(pair[0]), default=("", ""))
    if limits.label_name_length is not None and (size := len(longest_name[0])) > limits.label_name_length:
        limit = f"{limits.label_name_length} characters of a label's name"
        yield limit, size, f"{longest_name[0][:40]}... has {size}"
    longest_value = max(labels, key=lambda pair: len(pair[1]), default=("", ""))
    if limits.label_value_length is not None and (size := len(longest_value[1])) > limits.label_value_length:
        yield f"{limits.label_value_length} characters of a label's value", size, f"{longest_value[0]} has {size}"
