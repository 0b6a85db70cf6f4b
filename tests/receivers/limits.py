"""What receivers refuse by their limits and rules, with the good series that travel beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.collected import collected, counter, gauge, histogram, histogram_point, point
from tests.receivers.trial import Compared, Trial

MANY = 40
HOUR = 3600


class Limit(NamedTuple):
    """One of them.

    Args:
        title: What the page calls it.
        receiver: The receiver's name.
        push: Pushes good series, and what runs into the limit; returns what of the good ones is held.
        options: How the receiver is started for it.
        shown: The same for people; empty where it is the default.
        lost: How many of the good series cannot be held, because the limit is on their number.
        settings: The exporter's keywords.
    """

    title: str
    receiver: str
    push: Callable[[Trial], Compared]
    options: Mapping[str, Any] = {}
    shown: str = ""
    lost: int = 0
    settings: Mapping[str, Any] = {}


def _data(trial: Trial, *metrics: Any, resource: Mapping[str, str] | None = None) -> Any:
    names = {
        "service.name": trial.application.job,
        "service.instance.id": trial.application.instance,
        **(resource or {}),
    }
    return collected(*metrics, resource=names)


def _points(trial: Trial, at: float = 0, padding: int = 1) -> list[Any]:
    now = int((trial.now + at) * 1000)
    return [
        point(float(number), {"n": str(number), "padding": f"{number:02}" * padding}, at=now, start=now - 60_000)
        for number in range(1, MANY + 1)
    ]


def _held(trial: Trial, name: str = "hits_total", at: float = 0) -> Compared:
    found = {each.labels["n"]: each.value for each in trial.server.query(trial.of(name), trial.now + at)}
    numbers = {str(number): float(number) for number in range(1, MANY + 1)}
    return Compared(numbers, {number: found.get(number) for number in numbers})


def many(trial: Trial) -> Compared:
    trial.export(_data(trial, counter(*_points(trial))))
    return _held(trial)


def many_and_again(trial: Trial) -> Compared:
    """Two exports, because some limits are met by the first and others forgotten by the second."""
    for push in range(2):
        trial.export(_data(trial, counter(*_points(trial, at=push))))
    return _held(trial, at=1)


def many_until_delivered(trial: Trial) -> Compared:
    """One large export, and small ones until nothing waits: a sender finds out bit by bit what a burst may be."""
    trial.export(_data(trial, counter(*_points(trial))))
    for push in range(1, 11):
        if trial.accepted[-1]:
            break
        now = int((trial.now + push) * 1000)
        trial.export(_data(trial, gauge(point(1.0, at=now, start=now), name="small")))
    trial.accepted = trial.accepted[-1:]
    return _held(trial)


def many_large(trial: Trial) -> Compared:
    trial.export(_data(trial, counter(*_points(trial, padding=500))))
    return _held(trial)


def a_long_value_among_them(trial: Trial) -> Compared:
    long = point(1.0, {"path": "x" * 3000}, at=int(trial.now * 1000), start=int(trial.now * 1000) - 60_000)
    trial.export(_data(trial, counter(*_points(trial)), counter(long, name="long")))
    return _held(trial)


def a_resource_of_forty_attributes(trial: Trial) -> Compared:
    resource = {f"attribute.{number}": "x" for number in range(40)}
    trial.export(_data(trial, counter(*_points(trial)), resource=resource))
    return _held(trial)


def a_long_description(trial: Trial) -> Compared:
    trial.export(_data(trial, counter(*_points(trial), description="x" * 3000)))
    return _held(trial)


def a_series_that_somebody_else_wrote_ahead(trial: Trial) -> Compared:
    """As it is where two processes have one instance: their samples of one series are not in order."""
    ahead = int(trial.now * 1000) + 60_000
    theirs = gauge(point(1.0, at=ahead, start=ahead), name="shared")
    trial.export(_data(trial, theirs))
    ours = gauge(point(2.0, at=ahead - 60_000, start=ahead), name="shared")
    trial.export(_data(trial, counter(*_points(trial)), ours))
    return _held(trial)


def a_time_in_the_future(trial: Trial) -> Compared:
    """A clock that is an hour ahead."""
    trial.export(_data(trial, counter(*_points(trial, at=HOUR))))
    return _held(trial, at=HOUR)


def a_time_long_past(trial: Trial) -> Compared:
    """What waited for three hours, where others have written meanwhile."""
    trial.export(_data(trial, gauge(*_points(trial), name="meanwhile")))
    trial.export(_data(trial, counter(*_points(trial, at=-3 * HOUR))))
    return _held(trial, at=-3 * HOUR)


def a_name_in_utf_8_among_them(trial: Trial) -> Compared:
    now = int(trial.now * 1000)
    odd = gauge(point(1.0, at=now, start=now), name="größe.x")
    trial.export(_data(trial, counter(*_points(trial), name="hits_total"), odd))
    return _held(trial)


def many_classic_histograms(trial: Trial) -> Compared:
    """A hundred buckets each, so that a request has many samples."""
    now = int(trial.now * 1000)
    bounds = tuple(float(bound) for bound in range(99))
    made = [
        histogram_point((1,) * 100, bounds, {"n": str(number)}, at=now, start=now - 60_000)
        for number in range(1, MANY + 1)
    ]
    trial.export(_data(trial, histogram(*made)))
    found = {each.labels["n"]: each.value for each in trial.server.query(trial.of("latency_count"), trial.now)}
    return Compared(
        {str(n): 100.0 for n in range(1, MANY + 1)}, {str(n): found.get(str(n)) for n in range(1, MANY + 1)}
    )


def _flags(*flags: str) -> dict[str, Any]:
    return {"options": {"flags": flags}, "shown": " ".join(f"`{flag}`" for flag in flags)}


def _thanos(**limits: Any) -> dict[str, Any]:
    shown = ", ".join(f"`{name}: {number}`" for name, number in limits.items())
    return {"options": {"limits": {"request": limits}}, "shown": shown}


NO_TARGET = {"disable_target_info": True}
NO_UTF_8 = {"translation_strategy": "NoTranslation", "disable_target_info": True}

LIMITS = {
    "cortex series": Limit(
        "series of a tenant",
        "cortex",
        many_and_again,
        **_flags("-ingester.max-series-per-user=20"),
        lost=20,
        settings=NO_TARGET,
    ),
    "cortex series of a metric": Limit(
        "series of a metric", "cortex", many_and_again, **_flags("-ingester.max-series-per-metric=20"), lost=20
    ),
    "cortex rate": Limit(
        "samples a second, a burst that one export fits into",
        "cortex",
        many,
        **_flags("-distributor.ingestion-rate-limit=20", "-distributor.ingestion-burst-size=60"),
    ),
    "cortex burst": Limit(
        "samples a second, a burst that one export does not fit into",
        "cortex",
        many_until_delivered,
        **_flags("-distributor.ingestion-rate-limit=2000", "-distributor.ingestion-burst-size=30"),
    ),
    "cortex request": Limit(
        "bytes of a request", "cortex", many_large, **_flags("-distributor.max-recv-msg-size=20000")
    ),
    "cortex value": Limit("characters of a label value: 2048", "cortex", a_long_value_among_them),
    "cortex labels": Limit("labels of a series: 30", "cortex", a_resource_of_forty_attributes),
    "cortex metadata": Limit("characters of metadata: 1024", "cortex", a_long_description),
    "cortex utf-8": Limit(
        "names in UTF-8, without the flag",
        "cortex",
        a_name_in_utf_8_among_them,
        **_flags("-name-validation-scheme=legacy"),
        settings=NO_UTF_8,
    ),
    "cortex order": Limit("samples in order", "cortex", a_series_that_somebody_else_wrote_ahead),
    "cortex future": Limit("times in the future: 10 minutes", "cortex", a_time_in_the_future, lost=MANY),
    "cortex past": Limit("times long past: an hour before the newest", "cortex", a_time_long_past, lost=MANY),
    "thanos request": Limit("bytes of a request", "thanos", many_large, **_thanos(size_bytes_limit=20000)),
    "thanos series": Limit("series of a request", "thanos", many, **_thanos(series_limit=10)),
    "thanos samples": Limit("samples of a request", "thanos", many_classic_histograms, **_thanos(samples_limit=500)),
    "thanos order": Limit("samples in order", "thanos", a_series_that_somebody_else_wrote_ahead),
    "thanos future": Limit(
        "times in the future",
        "thanos",
        a_time_in_the_future,
        **_flags("--tsdb.too-far-in-future.time-window=10m"),
        lost=MANY,
    ),
    "thanos past": Limit("times long past: an hour before the newest", "thanos", a_time_long_past, lost=MANY),
    "prometheus order": Limit("samples in order", "prometheus", a_series_that_somebody_else_wrote_ahead),
    "prometheus future": Limit("times in the future", "prometheus", a_time_in_the_future, lost=MANY),
    "prometheus past": Limit("times long past: an hour before the newest", "prometheus", a_time_long_past, lost=MANY),
    "prometheus-lts order": Limit("samples in order", "prometheus-lts", a_series_that_somebody_else_wrote_ahead),
    "prometheus-lts past": Limit(
        "times long past: an hour before the newest", "prometheus-lts", a_time_long_past, lost=MANY
    ),
}
