"""The work that is measured: an application with so many instruments and sets of attributes, and what it collects."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource

_METHODS = ("GET", "PUT", "POST", "DELETE")
_SERIES_OF_A_HISTOGRAM = 18  # the SDK's 15 bounds, +Inf, sum and count


class Load(NamedTuple):
    """So many counters and explicit histograms, each with so many sets of five attributes."""

    counters: int
    histograms: int
    attribute_sets: int

    @property
    def points(self) -> int:
        """How many data points a collection has."""
        return (self.counters + self.histograms) * self.attribute_sets

    @property
    def series(self) -> int:
        """How many series they are in protocol 1.0."""
        return (self.counters + self.histograms * _SERIES_OF_A_HISTOGRAM) * self.attribute_sets


WORK = Load(counters=100, histograms=20, attribute_sets=100)


class Application:
    """An application that measures, and an SDK that collects what it has measured.

    All instruments have the same sets of attributes, as those of a web framework do. The values differ from collection
    to collection; the random numbers are the same in every run.
    """

    def __init__(self, load: Load) -> None:
        self._reader = InMemoryMetricReader()
        self._provider = MeterProvider([self._reader], Resource.create({"service.name": "shop"}))
        meter = self._provider.get_meter("shop.http", "1.0")
        self._counters = [
            meter.create_counter(f"shop.requests.{number}", "{request}", f"Requests of kind {number}")
            for number in range(load.counters)
        ]
        self._histograms = [
            meter.create_histogram(f"shop.duration.{number}", "ms", f"Duration of kind {number}")
            for number in range(load.histograms)
        ]
        self._attributes = list(_attribute_sets(load.attribute_sets))
        self._random = random.Random(7)
        self.record()

    def record(self) -> None:
        """Measure something for every stream."""
        for attributes in self._attributes:
            for counter in self._counters:
                counter.add(self._random.randrange(1, 50), attributes)
            for histogram in self._histograms:
                histogram.record(self._random.expovariate(1 / 200), attributes)

    def collect(self) -> MetricsData:
        """Let the SDK collect."""
        return self._reader.get_metrics_data()


def _attribute_sets(number: int) -> Iterator[dict[str, Any]]:
    for each in range(number):
        yield {
            "http.request.method": _METHODS[each % len(_METHODS)],
            "http.route": f"/api/v1/customers/{{customer_id}}/orders/{each}",
            "http.response.status_code": 500 if each % 7 == 0 else 200,
            "server.address": "shop.example.com",
            "tenant": f"tenant-{each % 10}",
        }
