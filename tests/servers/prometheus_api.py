"""Prometheus's query API, which other receivers speak too."""

import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tests.servers.http_client import get


@dataclass(frozen=True)
class Point:
    """The value of a series at a time in seconds; a native histogram instead of a float where it is one."""

    time: float
    value: float | None = None
    histogram: dict[str, Any] | None = None


@dataclass(frozen=True)
class InstantSample:
    """One element of an instant vector."""

    labels: dict[str, str]
    point: Point

    @property
    def value(self) -> float | None:
        """The float value; None for a native histogram."""
        return self.point.value


@dataclass(frozen=True)
class RangeSeries:
    """One series of a range vector, floats and native histograms together in order of time."""

    labels: dict[str, str]
    points: list[Point]

    @property
    def values(self) -> list[float | None]:
        """The float values in order of time."""
        return [point.value for point in self.points]


class QueryError(Exception):
    """The server refused a query; the message holds its reason."""


class PrometheusApi:
    """Questions to a server at self.url, answered with plain data.

    Attributes:
        api_prefix: What stands between the address and /api/v1.
        api_headers: What every question has, such as the tenant.
    """

    api_prefix: str = ""
    api_headers: Mapping[str, str] = MappingProxyType({})

    @property
    @abstractmethod
    def url(self) -> str:
        """The server's address."""

    def query(self, promql: str, at: float | None = None) -> list[InstantSample]:
        """The instant vector of the expression at a time in seconds, now by default; a scalar has no labels."""
        data = self._ask("query", query=promql, time=at)
        if data["resultType"] in ("scalar", "string"):
            return [InstantSample({}, _point(data["result"]))]
        if data["resultType"] == "matrix":
            raise QueryError(f"{promql} is a range vector: ask range_vector() for it")
        return [InstantSample(element["metric"], _points(element)[0]) for element in data["result"]]

    def range_vector(self, promql: str, at: float | None = None) -> list[RangeSeries]:
        """The raw samples of a selector such as name[5m], as they are stored."""
        return _range_series(self._ask("query", query=promql, time=at))

    def query_range(self, promql: str, start: float, end: float, step: float = 1) -> list[RangeSeries]:
        """The expression evaluated at every step from start to end, in seconds."""
        return _range_series(self._ask("query_range", query=promql, start=start, end=end, step=step))

    def value(self, promql: str, at: float | None = None) -> float | None:
        """The one value of an expression that has exactly one."""
        found = self.query(promql, at)
        if len(found) != 1:
            raise AssertionError(f"{promql} has {len(found)} results, not one: {found}")
        return found[0].value

    def wait_for(self, promql: str, timeout: float = 60) -> list[InstantSample]:
        """The instant vector as soon as it is not empty; AssertionError when it stays so."""
        deadline = time.monotonic() + timeout
        while not (found := self.query(promql)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{promql} has no result after {timeout:g} s")
            time.sleep(0.05)
        return found

    def series(self, *match: str, start: float | None = None, end: float | None = None) -> list[dict[str, str]]:
        """The label sets of the series that match any of the selectors."""
        return self._ask("series", start=start, end=end, **{"match[]": list(match)})

    def query_exemplars(self, promql: str, start: float, end: float) -> list[dict[str, Any]]:
        """Exemplars by series, as the API gives them: seriesLabels, and exemplars with labels, value, timestamp."""
        return self._ask("query_exemplars", query=promql, start=start, end=end)

    def metadata(self, metric: str | None = None) -> dict[str, list[dict[str, str]]]:
        """Type, help and unit by metric family, as the API gives them."""
        return self._ask("metadata", metric=metric)

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are pending or firing, as the API gives them."""
        return self._ask("alerts")["alerts"]

    def _ask(self, method: str, **fields: object) -> Any:
        response = get(f"{self.url}{self.api_prefix}/api/v1/{method}", self.api_headers, **fields)
        answer = response.json() if response.data.startswith(b"{") else {}
        if answer.get("status") != "success":
            raise QueryError(f"{method}: {response.status} {response.data.decode(errors='replace')[:500]}")
        return answer["data"]


def _range_series(data: dict[str, Any]) -> list[RangeSeries]:
    return [RangeSeries(element["metric"], _points(element)) for element in data["result"]]


def _points(element: dict[str, Any]) -> list[Point]:
    """All points of a result's element, which names them in the singular in an instant vector."""
    floats = element.get("values", []) + [element[key] for key in ("value",) if key in element]
    histograms = element.get("histograms", []) + [element[key] for key in ("histogram",) if key in element]
    points = [_point(pair) for pair in floats] + [Point(at, histogram=value) for at, value in histograms]
    return sorted(points, key=lambda point: point.time)


def _point(pair: list[Any]) -> Point:
    return Point(float(pair[0]), float(pair[1]))
