"""What an SDK has collected, made by hand: for data that no instrument would give, and times that a test chooses."""

from __future__ import annotations

import math

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Buckets,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

START = 1_749_999_000_000
NOW = 1_750_000_000_000
"""In milliseconds; the SDK has nanoseconds."""

CUMULATIVE = AggregationTemporality.CUMULATIVE
DELTA = AggregationTemporality.DELTA
SERVICE = {"service.name": "shop"}


def nanoseconds(milliseconds):
    return milliseconds * 1_000_000


def point(value=1.0, attributes=None, *, at=NOW, start=START, exemplars=()):
    return NumberDataPoint(
        {} if attributes is None else attributes, nanoseconds(start), nanoseconds(at), value, exemplars
    )


def histogram_point(counts=(1, 1, 1), bounds=(1.0, 2.0), attributes=None, *, at=NOW, start=START, **fields):
    """Fields are those of HistogramDataPoint, where what follows from the counts is not what the test wants."""
    made = {
        "attributes": {} if attributes is None else attributes,
        "start_time_unix_nano": nanoseconds(start),
        "time_unix_nano": nanoseconds(at),
        "count": sum(counts),
        "sum": 4.5,
        "bucket_counts": counts,
        "explicit_bounds": bounds,
        "min": 0.5,
        "max": 2.5,
    }
    return HistogramDataPoint(**made | fields)


def exponential_point(counts=(1, 2), attributes=None, *, at=NOW, start=START, **fields):
    """Fields are those of ExponentialHistogramDataPoint."""
    made = {
        "attributes": {} if attributes is None else attributes,
        "start_time_unix_nano": nanoseconds(start),
        "time_unix_nano": nanoseconds(at),
        "count": sum(counts),
        "sum": 4.5,
        "scale": 0,
        "zero_count": 0,
        "positive": Buckets(0, counts),
        "negative": Buckets(0, ()),
        "flags": 0,
        "min": 0.5,
        "max": 2.5,
    }
    return ExponentialHistogramDataPoint(**made | fields)


def exemplar(value=1.0, attributes=None, *, at=NOW, trace_id=None, span_id=None):
    return Exemplar(attributes or {}, value, nanoseconds(at), span_id, trace_id)


def counter(*points, name="hits", temporality=CUMULATIVE, **fields):
    return metric(name, Sum(points or [point()], temporality, is_monotonic=True), **fields)


def up_down_counter(*points, name="queue", **fields):
    return metric(name, Sum(points or [point()], CUMULATIVE, is_monotonic=False), **fields)


def gauge(*points, name="level", **fields):
    return metric(name, Gauge(points or [point()]), **fields)


def histogram(*points, name="latency", temporality=CUMULATIVE, **fields):
    return metric(name, Histogram(points or [histogram_point()], temporality), **fields)


def exponential_histogram(*points, name="size", temporality=CUMULATIVE, **fields):
    return metric(name, ExponentialHistogram(points or [exponential_point()], temporality), **fields)


def metric(name, data, *, unit="", description=""):
    return Metric(name, description, unit, data)


def scope(*metrics, name="tests", version="", schema_url="", attributes=None):
    return ScopeMetrics(InstrumentationScope(name, version, schema_url, attributes), metrics, schema_url)


def collected(*metrics, resource=SERVICE, scopes=None):
    """One export of one resource, by default of one scope."""
    return MetricsData([of_resource(*(scopes or [scope(*metrics)]), resource=resource)])


def of_resource(*scopes, resource=SERVICE):
    return ResourceMetrics(Resource(resource), scopes, "")


def unrecorded():
    """The least and the greatest of a histogram that records neither."""
    return {"min": math.inf, "max": -math.inf}
