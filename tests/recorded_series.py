"""What tests/vectors/datapoints.json expects of the exporter.

The cases were recorded from Prometheus's OTLP endpoint. Where this project does otherwise on purpose, a rule here says
so and why. A rule holds for every case; none is made for one.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from copy import deepcopy
from itertools import accumulate

from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.model.bucket_bound import le_text
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar
from opentelemetry.exporter.prometheus_remote_write.translation.naming import TranslationStrategy, label_name
from tests.otlp_vectors import attributes, identifier
from tests.pushed_series import Buckets, Pushed, Sample, key, nonzero, number

CUSTOM_BUCKETS = -53  # the schema of native histograms with such


class NotComparable(Exception):
    """The recording says nothing about what this project has to do."""


# --- the exporter's settings ---


def keywords(case):
    """Return the exporter's keywords for the settings of a case, or raise NotComparable."""
    settings = case["settings"]
    if unknown := settings.keys() - SETTINGS.keys():
        raise AssertionError(f"case {case['id']} has settings that this file does not know: {unknown}")
    if settings.get("UnderscoreSan", True) != settings.get("PreserveMulti", True):
        raise NotComparable("a mixture of label modes that this project does not have")
    found = {"disable_scope_labels": True}
    for name, value in settings.items():
        found |= SETTINGS[name](value)
    if labels := settings.get("Promote", []) + [f"!{key}" for key in settings.get("IgnorePromote", ())]:
        found["resource_labels"] = labels
    return found


def not_offered(why):
    def refuse(_):
        raise NotComparable(why)

    return refuse


SETTINGS = {
    "AllowUTF8": lambda value: {"translation_strategy": "NoUTF8EscapingWithSuffixes"} if value else {},
    "UnderscoreSan": lambda _: {},  # both off: this project's only mode; both on: see ignored_labels
    "PreserveMulti": lambda _: {},
    "PromoteScope": lambda value: {"disable_scope_labels": not value},
    "NHCB": lambda value: {"convert_histograms_to_nhcb": value},
    "Namespace": lambda value: {"namespace": value},
    "External": lambda value: {"external_labels": value},
    "PromoteAll": lambda value: {"resources_as_labels": value},
    "Promote": lambda _: {},  # as globs, together with the next
    "IgnorePromote": lambda _: {},
    "KeepIdent": lambda _: {},  # see without_identifying_attributes
    "AllowDelta": not_offered("delta temporality is refused, without a switch"),
    "TypeUnit": not_offered("the labels __type__ and __unit__ are the receiver's to add"),
}


# --- what has to come out ---


def expected(case, protocol):
    """Return what the exporter has to push for a case, or raise NotComparable."""
    for applies, why in OTHERWISE.items():
        if applies(case):
            raise NotComparable(why)
    recorded = deepcopy(case["expected"]["series"] or [])
    for rule in RULES:
        recorded = rule(recorded, case)
    ignored = ignored_labels(case)
    samples = {}
    for sample in recorded:
        value = native(sample["histogram"]) if "histogram" in sample else number(sample["value"])
        start = sample["start_timestamp"] if protocol == "2.0" else 0  # 1.0 has no place for it
        # Recorded more than once for one series and time: an explicit bound of +Inf, before the bucket that is always
        # there. The last is the count.
        samples[key(sample["labels"], sample["timestamp"], ignored)] = Sample(value, start, tuple(sample["exemplars"]))
    return Pushed(samples, {metadata["family"]: kind(metadata) for metadata in (each["metadata"] for each in recorded)})


def one_target_info(samples, _):
    """Prometheus repeats target_info over the time that the points span; this project sends one, at the newest."""
    newest = max((sample["timestamp"] for sample in samples), default=0)
    return [sample for sample in samples if not is_target_info(sample) or sample["timestamp"] == newest]


def without_identifying_attributes(samples, case):
    """This project has no keep_identifying_resource_attributes: job and instance say the same."""
    if case["settings"].get("KeepIdent"):
        names = ("service_name", "service_namespace", "service_instance_id")
        for sample in filter(is_target_info, samples):
            sample["labels"] = {name: text for name, text in sample["labels"].items() if name not in names}
    return samples


def with_exported_labels(samples, case):
    """Recorded is that a label of the target overwrites an attribute's; this project keeps both, as a scrape does."""
    for sample in samples:
        holders = (
            [item.get("resource", {}) for item in resources(case)] if is_target_info(sample) else data_points(case)
        )
        for holder in holders:
            for name, text in attributes(holder).items():
                if name in {"__name__", "job", "instance"} and sample["labels"].get(name) not in {None, text}:
                    sample["labels"][f"exported_{name}"] = text
    return samples


def without_empty_namespace(samples, case):
    """By the specification an empty service.namespace leaves job at the service's name; Prometheus writes /name."""
    if any(attributes(item.get("resource", {})).get("service.namespace") == "" for item in resources(case)):
        for sample in samples:
            sample["labels"] = {
                name: text.removeprefix("/") if name == "job" else text for name, text in sample["labels"].items()
            }
    return samples


def classic_where_refused(samples, _):
    """A receiver refuses custom buckets that do not ascend or do not hold the count; such a histogram stays classic."""
    return [
        part for sample in samples for part in (classic(sample) if is_refused(sample.get("histogram")) else [sample])
    ]


def without_exemplars_of_gauges(samples, _):
    """By the specification sums that are not monotonic lose their exemplars as gauges do; Prometheus keeps them."""
    return [sample | {"exemplars": []} if is_gauge(sample) else sample for sample in samples]


def with_ids_of_spans(samples, case):
    """By the specification the ids win over attributes of their names; Prometheus writes a label name twice."""
    ids = {}
    for item in exemplars(case):
        found = (("trace_id", item.get("traceId", ""), 32), ("span_id", item.get("spanId", ""), 16))
        which = int(item.get("timeUnixNano", 0)) // 1_000_000, float(item.get("asDouble", item.get("asInt")))
        ids[which] = {name: f"{identifier(text):0{digits}x}" for name, text, digits in found if identifier(text)}
    for sample in samples:
        for each in sample["exemplars"]:
            if len(each["label_order"]) != len(each["labels"]):
                each["labels"] |= ids[each["timestamp"], float(each["value"])]
    return samples


def as_exemplars(samples, _):
    """No difference but in form: the exemplars as the type that they have here."""
    for sample in samples:
        sample["exemplars"] = [
            Exemplar(tuple(sorted(each["labels"].items())), float(each["value"]), each["timestamp"])
            for each in sample["exemplars"]
        ]
    return samples


def with_exemplars_in_their_buckets(samples, _):
    """An exemplar belongs to the bucket that holds its value; 3.9.1 misplaces those that do not come ascending."""
    histograms = {}
    for sample in samples:
        if "le" in sample["labels"] and sample["metadata"]["type"] == "histogram":
            histograms.setdefault(key(sample["labels"], sample["timestamp"], {"le"}), []).append(sample)
    for buckets in histograms.values():
        buckets.sort(key=lambda bucket: float(bucket["labels"]["le"]))
        bounds = [float(bucket["labels"]["le"]) for bucket in buckets]
        found = [exemplar for bucket in buckets for exemplar in bucket["exemplars"]]
        for bucket in buckets:
            bucket["exemplars"] = []
        for exemplar in found:
            buckets[bisect_left(bounds, exemplar.value)]["exemplars"].append(exemplar)
    return samples


def with_exemplars_in_order(samples, _):
    """Remote Write wants exemplars by time, then value; Prometheus leaves them as they came."""
    for sample in samples:
        sample["exemplars"] = sorted(sample["exemplars"], key=lambda exemplar: (exemplar.timestamp, exemplar.value))
    return samples


RULES = (
    one_target_info,
    without_identifying_attributes,
    with_exported_labels,
    without_empty_namespace,
    classic_where_refused,
    without_exemplars_of_gauges,
    with_ids_of_spans,
    as_exemplars,
    with_exemplars_in_their_buckets,
    with_exemplars_in_order,
)


def is_gauge(sample):
    return sample["metadata"]["type"] == "gauge"


def is_target_info(sample):
    return sample["metadata"]["help"] == "Target metadata"


def is_refused(histogram):
    if histogram is None or histogram["schema"] != CUSTOM_BUCKETS:
        return False
    bounds, counts = histogram["custom_values"], accumulate(histogram["positive_deltas"] or ())
    return bounds != sorted(set(bounds)) or math.inf in bounds or sum(counts) != int(histogram["count"])


def classic(sample):
    """Return the classic series of a sample that was recorded as one histogram with custom buckets."""
    histogram = sample["histogram"]
    counts = nonzero(histogram["positive_spans"], accumulate(histogram["positive_deltas"] or ()))
    family = sample["labels"]["__name__"]
    below = accumulate(counts.get(number, 0) for number in range(len(histogram["custom_values"])))
    yield from (
        series(sample, f"{family}_bucket", value, le=le_text(bound))
        for bound, value in zip(histogram["custom_values"], below, strict=True)
    )
    yield series(sample, f"{family}_bucket", histogram["count"], le="+Inf")
    yield series(sample, f"{family}_count", histogram["count"])
    yield series(sample, f"{family}_sum", histogram["sum"])


def series(sample, name, value, **labels):
    rest = {field: content for field, content in sample.items() if field != "histogram"}
    return rest | {"labels": sample["labels"] | {"__name__": name, **labels}, "value": value, "exemplars": []}


def has_nameless_scope(case):
    """Prometheus gives no scope labels where the scope has no name; by the specification there are those it has."""
    scopes = [item.get("scope", {}) for resource in resources(case) for item in resource.get("scopeMetrics", ())]
    return bool(case["settings"].get("PromoteScope")) and any(scope and not scope.get("name") for scope in scopes)


def has_corrected_unit(case):
    """By the specification kBy is kilobytes and TiBy tebibytes; Prometheus has KBy and tibibytes."""
    return any(re.search("kBy|KBy|TiBy", metric.get("unit", "")) for metric in metrics(case))


OTHERWISE = {
    has_nameless_scope: "recorded without the labels of a scope that has no name",
    has_corrected_unit: "recorded with a unit's word that the specification corrects",
    lambda case: case.get("upstream_misplaces_counts"): "recorded with counts in the wrong buckets",
}


def ignored_labels(case):
    """Return the names under which the recorded label mode or this project's writes a key that they write differently.

    Recorded without UnderscoreSan and PreserveMulti switched off: a single leading underscore gets `key` in front, runs
    of underscores are kept. The specification collapses runs.
    """
    settings = case["settings"]
    if settings.get("AllowUTF8") or not settings.get("UnderscoreSan", True):
        return set()
    ignored = set()
    for holder in (*(item.get("resource", {}) for item in resources(case)), *data_points(case)):
        for attribute in attributes(holder):
            kept = re.sub("[^A-Za-z0-9_]", "_", attribute)
            if re.match("[0-9]", kept):
                kept = f"key_{kept}"
            elif re.match("_(?!_)", kept):
                kept = f"key{kept}"
            try:
                ours = label_name(attribute, TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES)
            except Untranslatable:
                continue  # and the recording says so too
            if ours != kept:
                ignored |= {ours, kept}
    return ignored


def native(histogram):
    return Buckets(
        schema=histogram["schema"],
        count=int(histogram["count"]),
        sum=number(histogram["sum"]),
        zero_threshold=histogram["zero_threshold"],
        zero_count=histogram["zero_count"],
        positive=nonzero(histogram["positive_spans"], accumulate(histogram["positive_deltas"] or ())),
        negative=nonzero(histogram["negative_spans"], accumulate(histogram["negative_deltas"] or ())),
        custom_bounds=tuple(histogram["custom_values"]),
    )


def kind(metadata):
    return metadata["type"], metadata["help"], metadata["unit"]


def resources(case):
    return case["otlp"]["resourceMetrics"]


def metrics(case):
    return [
        metric
        for resource in resources(case)
        for scope in resource.get("scopeMetrics", ())
        for metric in scope.get("metrics", ())
    ]


def data_points(case):
    return [
        point
        for metric in metrics(case)
        for data in metric.values()
        if isinstance(data, dict)
        for point in data.get("dataPoints", ())
    ]


def exemplars(case):
    return [item for point in data_points(case) for item in point.get("exemplars", ())]
