"""What an application can push, each with the questions that show what a receiver holds of it."""

from __future__ import annotations

import math
import random
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from statistics import quantiles
from typing import Any, NamedTuple

from opentelemetry.metrics import Observation
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.translator import Translator
from tests.end_to_end.application import HOST, points
from tests.end_to_end.odd_series import odd_data
from tests.family_samples import read
from tests.receivers.trial import Compared, Trial

BOUNDS = (0.0, 0.1, 0.5, 1.0, 2.5, 10.0)
NATIVE = {"default_histogram_aggregation": "base2_exponential_bucket_histogram"}
CUSTOM = {"convert_histograms_to_nhcb": True}
ONE_ATTEMPT = {"min_backoff": 60_000, "max_backoff": 60_000}
UTF_8 = {"translation_strategy": "NoTranslation"}


class Feature(NamedTuple):
    """One of them.

    Args:
        title: What the page calls it.
        measure: Records, pushes and compares.
        settings: The exporter's keywords.
        protocols: With which it can be sent.
    """

    title: str
    measure: Callable[[Trial], Compared]
    settings: Mapping[str, Any] = {}
    protocols: tuple[str, ...] = ("1.0", "2.0", "auto")


def numbers(trial: Trial) -> Compared:
    counter = trial.meter.create_counter("http.requests", unit="{request}")
    counter.add(3, {"http.route": "/a"})
    counter.add(2**53, {"http.route": "/b"})
    trial.meter.create_up_down_counter("queue.size").add(-4)
    trial.meter.create_gauge("temperature", unit="Cel").set(-12.25)
    for kind, number in (("counter", 7), ("up_down_counter", -8), ("gauge", 0.125)):
        observe = getattr(trial.meter, f"create_observable_{kind}")
        observe(f"observed.{kind}", callbacks=[lambda _, number=number: [Observation(number)]], unit="By")
    trial.push()
    return trial.values(
        {
            trial.of("http_requests_total", http_route="/a"): 3,
            trial.of("http_requests_total", http_route="/b"): 2**53,
            trial.of("queue_size"): -4,
            trial.of("temperature_celsius"): -12.25,
            trial.of("observed_counter_bytes_total"): 7,
            trial.of("observed_up_down_counter_bytes"): -8,
            trial.of("observed_gauge_bytes"): 0.125,
        }
    )


def rates(trial: Trial) -> Compared:
    counter = trial.meter.create_counter("hits")
    for push in range(5):
        counter.add(30)
        trial.push(15 * push)
    hits = trial.of("hits_total")
    return trial.values({f"rate({hits}[61s])": 2.0, f"sum_over_time({hits}[61s])": 450.0}, after=60)


def target_info(trial: Trial) -> Compared:
    trial.meter.create_counter("hits").add(5)
    trial.push()
    join = f"{trial.of('hits_total')} * on (job, instance) group_left (host_name) {trial.of('target_info')}"
    found = trial.server.query(join, trial.now)
    expected = [(5.0, HOST, trial.application.instance)]
    labels = [(each.value, each.labels.get("host_name"), each.labels.get("instance")) for each in found]
    return Compared({join: expected}, {join: labels})


def record(trial: Trial, number: int = 500) -> list[float]:
    """Values in a histogram, and the values."""
    dice = random.Random(3)
    values = [0.0, *(dice.lognormvariate(0, 1.2) for _ in range(number - 1))]
    latency = trial.meter.create_histogram("latency", unit="s", explicit_bucket_boundaries_advisory=BOUNDS)
    for value in values:
        latency.record(value)
    return values


def classic_histogram(trial: Trial) -> Compared:
    values = record(trial)
    trial.push()
    buckets = trial.of("latency_seconds_bucket")
    counted = {le: sum(value <= float(le) for value in values) for le in ("0", "0.1", "0.5", "1", "2.5", "10", "+Inf")}
    found = {sample.labels["le"]: sample.value for sample in trial.server.query(buckets, trial.now)}
    exact, quantile = quantiles(values, n=10)[8], trial.value(f"histogram_quantile(0.9, {buckets})")
    scalars = trial.values(
        {trial.of("latency_seconds_count"): len(values), trial.of("latency_seconds_sum"): sum(values)}
    )
    return Compared(
        {**scalars.expected, buckets: counted, "the bucket of the 90th percentile": bisect_left(BOUNDS, exact)},
        {
            **scalars.found,
            buckets: found,
            "the bucket of the 90th percentile": None if quantile is None else bisect_left(BOUNDS, quantile),
        },
    )


def native_histogram(trial: Trial) -> Compared:
    values = record(trial)
    data = trial.application.collect(trial.now)
    trial.export(data)
    [point] = points(data, "latency")
    base = 2**2**-point.scale
    buckets = [
        (base**number, base ** (number + 1), float(count))
        for number, count in enumerate(point.positive.bucket_counts, point.positive.offset)
        if count
    ]
    selector = trial.of("latency_seconds")
    exact, quantile = quantiles(values, n=10)[8], trial.value(f"histogram_quantile(0.9, {selector})")
    near = None if quantile is None else exact / base <= quantile <= exact * base
    scalars = trial.values({f"histogram_count({selector})": len(values), f"histogram_sum({selector})": sum(values)})
    return Compared(
        {**scalars.expected, selector: [(-1e-128, 1e-128, 1.0), *buckets], "90th percentile within a bucket": True},
        {**scalars.found, selector: _buckets(trial, selector), "90th percentile within a bucket": near},
    )


def _buckets(trial: Trial, selector: str) -> list[tuple[float, float, float]]:
    """The buckets of the one native histogram that a selector finds: lower bound, upper bound, count."""
    stored = [sample.point.histogram for sample in trial.server.query(selector, trial.now)]
    found = [bucket for histogram in stored if histogram for bucket in histogram.get("buckets", [])]
    return sorted((float(low), float(high), float(count)) for _, low, high, count in found)


def custom_buckets(trial: Trial) -> Compared:
    """Pushed twice: a receiver that turns out to speak 1.0 gets classic histograms from the second push on."""
    values = record(trial)
    trial.push(-1)
    trial.push()
    native, classic = trial.of("latency_seconds"), trial.of("latency_seconds_bucket")
    in_bucket = [bisect_left(BOUNDS, value) for value in values]
    bounds = (*BOUNDS, math.inf)
    if trial.server.query(classic, trial.now):
        held = {float(each.labels["le"]): each.value for each in trial.server.query(classic, trial.now)}
        counted = {bound: float(sum(value <= bound for value in values)) for bound in bounds}
        return Compared({classic: counted}, {classic: held})
    expected = {bound: float(in_bucket.count(place)) for place, bound in enumerate(bounds) if place in in_bucket}
    count = f"histogram_count({native})"
    return Compared(
        {count: len(values), native: expected},
        {count: trial.value(count), native: {high: held for _, high, held in _buckets(trial, native)}},
    )


def exemplars(trial: Trial) -> Compared:
    """Compared by span, because receivers keep an exemplar of a histogram with one of its buckets."""
    counter, latency = trial.meter.create_counter("hits"), trial.meter.create_histogram("latency")
    with TracerProvider(shutdown_on_exit=False).get_tracer("tests").start_as_current_span("request") as span:
        counter.add(2)
        latency.record(2)
    around = time.time()
    trial.export(trial.application.collect(around))
    context = span.get_span_context()
    ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    expected, found = {}, {}
    for name in ("hits_total", "latency_bucket"):
        selector = trial.of(name)
        held = trial.server.query_exemplars(selector, start=around - 60, end=around + 60)
        expected[selector] = [(2.0, ids)]
        found[selector] = [(float(each["value"]), each["labels"]) for series in held for each in series["exemplars"]]
    return Compared(expected, found)


def metadata(trial: Trial) -> Compared:
    name = f"sizes_{trial.application.job.replace('-', '_')}"
    trial.meter.create_counter(name, unit="By", description="How much was sent.").add(5)
    trial.push(-1)
    trial.push()  # where the first one found out that the receiver speaks 1.0, the second has the metadata
    family = f"{name}_bytes_total"
    held = trial.server.metadata(family).get(family, [])
    asked = "type and help"
    return Compared({asked: [("counter", "How much was sent.")]}, {asked: [(m["type"], m["help"]) for m in held]})


def utf_8(trial: Trial) -> Compared:
    trial.meter.create_counter("http.requests").add(3, {"http.route": "/ä", "größe": "L"})
    trial.push()
    selector = trial.of("", __name__="http.requests")
    wanted = ("http.route", "größe")
    held = [[sample.labels.get(name) for name in wanted] for sample in trial.server.query(selector, trial.now)]
    return Compared({selector: [["/ä", "L"]]}, {selector: held})


def odd_series(trial: Trial) -> Compared:
    resource = {
        "service.name": trial.application.job,
        "service.instance.id": trial.application.instance,
        "host.name": HOST,
    }
    data = odd_data(resource, int(trial.now * 1000), scopes=10)
    translator = Translator(Settings(), DroppedPoints())
    sent = {frozenset(series.labels.items()): series.value for series in read(translator.translate(data))}
    trial.export(data)
    held = {frozenset(each.labels.items()): each.value for each in trial.server.query(trial.of(""), trial.now)}
    return Compared(sent, {labels: held.get(labels) for labels in sent})


def first_increase(trial: Trial) -> Compared:
    """What a new counter counted before its first push, which needs a sample of 0 at its beginning."""
    reader = trial.application.reader
    hits = trial.meter.create_counter("hits")
    hits.add(40)
    for _ in range(2):
        time.sleep(0.005)  # two samples of a series need two milliseconds
        trial.export(reader.get_metrics_data())
        hits.add(2)
    selector = trial.of("hits_total")
    found = trial.server.range_vector(f"{selector}[1m]")
    return Compared({selector: [[0.0, 40.0, 42.0]]}, {selector: [series.values for series in found]})


def end_of_series(trial: Trial) -> Compared:
    """With STALE_MARKERS a series is gone from queries as soon as it ends."""
    reader = trial.application.reader
    trial.meter.create_counter("hits").add(5)
    trial.export(reader.get_metrics_data())
    time.sleep(0.005)
    trial.application.exporter.shutdown()
    selector = trial.of("hits_total")
    stored = trial.server.range_vector(f"{selector}[1m]")  # some receivers show the marker itself
    during = [[value for value in series.values if value == value][-1:] for series in stored]  # noqa: PLR0124 - NaN
    after = [sample.value for sample in trial.server.query(selector)]
    return Compared({selector: [[5.0]], "gone": True}, {selector: during, "gone": not after if during else None})


def outage(trial: Trial) -> Compared:
    """Three intervals without the receiver, which ends in an orderly way and comes back."""
    return _away(trial, trial.server.stop)


def crash(trial: Trial) -> Compared:
    """The same, but the receiver ends without a warning, and has to have kept what it had accepted."""
    return _away(trial, trial.server.kill)


def _away(trial: Trial, end: Callable[[], None]) -> Compared:
    hits = trial.meter.create_counter("hits")
    for push in range(6):
        if push == 2:
            end()
        if push == 5:
            trial.server.start()
        hits.add(1)
        time.sleep(0.005)
        trial.export(trial.application.reader.get_metrics_data())
    expected = [True, True, False, False, False, True]
    trial.accepted = [] if trial.accepted == expected else trial.accepted
    selector = trial.of("hits_total")
    found = trial.server.range_vector(f"{selector}[5m]")
    counted = [float(number) for number in range(7)]
    return Compared({selector: [counted]}, {selector: [series.values for series in found]})


FEATURES = {
    "numbers": Feature("counters, up-down counters and gauges", numbers),
    "rates": Feature("`rate()`, and every sample of five pushes", rates),
    "target_info": Feature("`target_info`, joined on `job` and `instance`", target_info),
    "classic_histogram": Feature("classic histograms: buckets, sum, count, quantile", classic_histogram),
    "native_histogram": Feature("native histograms: buckets, sum, count, quantile", native_histogram, NATIVE),
    "custom_buckets": Feature(
        "native histograms with custom buckets, classic ones by 1.0", custom_buckets, CUSTOM, ("2.0", "auto")
    ),
    "exemplars": Feature("exemplars of counters and classic histograms", exemplars),
    "metadata": Feature("metadata: type and help", metadata),
    "utf_8": Feature("names in UTF-8 (`TRANSLATION_STRATEGY=NoTranslation`)", utf_8, UTF_8),
    "odd_series": Feature("a thousand series with odd names and values", odd_series),
    "first_increase": Feature("the first increase of a new counter (zero sample)", first_increase),
    "end_of_series": Feature("the end of a series (`STALE_MARKERS`)", end_of_series, {"stale_markers": True}),
    "outage": Feature("an outage of three intervals, every sample", outage, ONE_ATTEMPT),
    "crash": Feature("a crash of the receiver, every sample", crash, ONE_ATTEMPT),
}
