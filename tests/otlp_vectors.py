"""An OTLP request, in protobuf's JSON mapping, as the metrics data that the SDK hands to an exporter."""

from __future__ import annotations

import math
from base64 import b64decode

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

NO_RECORDED_VALUE = 1  # a flag of data points


class Inexpressible(Exception):
    """The SDK's types cannot hold what the request says."""


def metrics_data(request):
    """Return the SDK's MetricsData for an ExportMetricsServiceRequest, or raise Inexpressible with the reason."""
    return MetricsData([resource_metrics(item) for item in request["resourceMetrics"]])


def resource_metrics(item):
    # An instance id that says there is none: with an SDK that makes no ids the exporter would make one.
    resource = Resource({"service.instance.id": "", **attributes(item.get("resource", {}))})
    scopes = [scope_metrics(scope) for scope in item.get("scopeMetrics", ())]
    return ResourceMetrics(resource, scopes, item.get("schemaUrl", ""))


def scope_metrics(item):
    scope = item.get("scope", {})
    schema_url = item.get("schemaUrl", "")
    return ScopeMetrics(
        InstrumentationScope(scope.get("name", ""), scope.get("version", ""), schema_url, attributes(scope)),
        [metric(each) for each in item.get("metrics", ())],
        schema_url,
    )


def metric(item):
    if item.get("metadata"):
        raise Inexpressible("the SDK has no metadata of metrics")
    for kind, convert in KINDS.items():
        if kind in item:
            return Metric(item["name"], item.get("description", ""), item.get("unit", ""), convert(item[kind]))
    raise Inexpressible(f"the SDK has no metric like {sorted(item)}")


def gauge(item):
    # The SDK's gauges have no start.
    return Gauge([number_point(point, start=None) for point in data_points(item)])


def sum_(item):
    points = [number_point(point, start=time(point, "startTimeUnixNano")) for point in data_points(item)]
    return Sum(points, temporality(item), item.get("isMonotonic", False))


def number_point(point, start):
    if "asInt" not in point and "asDouble" not in point:
        raise Inexpressible("the SDK has no data points without a value")
    return NumberDataPoint(attributes(point), start, time(point), number(point), exemplars(point))


def histogram(item):
    return Histogram([histogram_point(point) for point in data_points(item)], temporality(item))


def histogram_point(point):
    return HistogramDataPoint(
        attributes(point),
        time(point, "startTimeUnixNano"),
        time(point),
        int(point.get("count", 0)),
        recorded_sum(point),
        [int(count) for count in point.get("bucketCounts", ())],
        [float(bound) for bound in point.get("explicitBounds", ())],
        float(point.get("min", math.inf)),
        float(point.get("max", -math.inf)),
        exemplars(point),
    )


def exponential_histogram(item):
    return ExponentialHistogram([exponential_point(point) for point in data_points(item)], temporality(item))


def exponential_point(point):
    if point.get("zeroThreshold"):
        raise Inexpressible("the SDK has no zero threshold")
    return ExponentialHistogramDataPoint(
        attributes(point),
        time(point, "startTimeUnixNano"),
        time(point),
        int(point.get("count", 0)),
        recorded_sum(point),
        point.get("scale", 0),
        int(point.get("zeroCount", 0)),
        buckets(point.get("positive", {})),
        buckets(point.get("negative", {})),
        0,
        float(point.get("min", math.inf)),
        float(point.get("max", -math.inf)),
        exemplars(point),
    )


KINDS = {
    "gauge": gauge,
    "sum": sum_,
    "histogram": histogram,
    "exponentialHistogram": exponential_histogram,
}


def buckets(item):
    return Buckets(item.get("offset", 0), [int(count) for count in item.get("bucketCounts", ())])


def data_points(item):
    points = item.get("dataPoints", [])
    if any(point.get("flags", 0) & NO_RECORDED_VALUE for point in points):
        raise Inexpressible("the SDK has no flag for a value that was not recorded")
    return points


def temporality(item):
    word = item.get("aggregationTemporality", "AGGREGATION_TEMPORALITY_UNSPECIFIED")
    return AggregationTemporality[word.removeprefix("AGGREGATION_TEMPORALITY_")]


def recorded_sum(point):
    if "sum" not in point:
        raise Inexpressible("the SDK's histograms have a sum")
    return float(point["sum"])


def number(item):
    return int(item["asInt"]) if "asInt" in item else float(item["asDouble"])


def time(item, field="timeUnixNano"):
    return int(item.get(field, 0))


def exemplars(point):
    return [
        Exemplar(
            attributes(item, "filteredAttributes"),
            number(item),
            time(item),
            identifier(item.get("spanId", "")),
            identifier(item.get("traceId", "")),
        )
        for item in point.get("exemplars", ())
    ]


def identifier(encoded):
    return int.from_bytes(b64decode(encoded), "big") if encoded else None


def attributes(item, field="attributes"):
    pairs = item.get(field, ())
    values = {pair.get("key", ""): any_value(pair["value"]) for pair in pairs}
    if len(values) != len(pairs):
        raise Inexpressible("the SDK's attributes have every key once")
    return values


def any_value(value):
    for kind, convert in VALUES.items():
        if kind in value:
            return convert(value[kind])
    return None


VALUES = {
    "stringValue": str,
    "boolValue": bool,
    "intValue": int,
    "doubleValue": float,
    "bytesValue": b64decode,
    "arrayValue": lambda array: [any_value(item) for item in array.get("values", ())],
    "kvlistValue": lambda mapping: attributes(mapping, "values"),
}
