"""Thousands of series with odd names, units, attributes and scopes, the same in every run."""

from __future__ import annotations

import random
import string

from opentelemetry.sdk.metrics.export import MetricsData

from tests.collected import (
    counter,
    gauge,
    histogram,
    histogram_point,
    of_resource,
    point,
    scope,
    up_down_counter,
)

UNITS = ("", "1", "s", "ms", "By", "By/s", "{item}", "{item}/min", "%", "Cel", "kBy", "m/s", "furlong", "µs", "°C", "/")
CHARACTERS = string.ascii_letters + string.digits + "._-:/ _.__" + "äß漢😀\N{NO-BREAK SPACE}"
TEXTS = (
    "plain",
    "Grüße",
    "漢字",
    "😀 👩‍👩‍👧",
    "right-to-left: שלום",
    "tab\tand\nline",
    'a "quoted" \\ text',
    "nul \x00 inside",
    "{}",
    "a=b,c=d",
    " spaces ",
    "\N{LINE SEPARATOR}",
    "x" * 200,
    "e\N{COMBINING ACUTE ACCENT}",
    "$1 ${x}",
    "\ud800 alone",
)
VALUES = (
    *TEXTS,
    *(True, False, 0, -7, 2**60, 1.0, 1.5, 1e21, 1e-7, float("inf"), "", b"\x00\xff", (), ("a", 1), (True, None)),
)
KEYS = (
    *(
        "http.route",
        "http_route",
        "http-route",
        "a",
        "A",
        "Zone",
        "_x",
        "__y__",
        "9lives",
        "ключ1",
        "ä.ö",
        "with space",
    ),
    *("with space", "le", "quantile", "job", "instance", "__name__", "otel_scope_name", "very.long." + "k" * 100),
)


def odd_data(resource, at, *, scopes=25, metrics=25):
    """Metrics data of one moment, in milliseconds."""
    dice = random.Random(20261122)
    return MetricsData(
        [
            of_resource(
                *(
                    scope(
                        *(odd_metric(dice, at) for _ in range(metrics)),
                        name=f"{odd_text(dice)} {number}",
                        version=dice.choice(["", "1.0", "v2 beta"]),
                        schema_url=dice.choice(["", "https://opentelemetry.io/schemas/1.30.0"]),
                        attributes={dice.choice(["team", "a.b", "a_b"]): odd_text(dice)}
                        if dice.random() < 0.3
                        else None,
                    )
                    for number in range(scopes)
                ),
                resource=resource,
            )
        ]
    )


def odd_metric(dice, at):
    kind = dice.choice([gauge, gauge, counter, up_down_counter, histogram])
    made = []
    for number in range(dice.randint(1, 5)):
        attributes = odd_attributes(dice) | {"number": number}
        times = {"at": at, "start": at - 60_000}
        if kind is histogram:
            bounds = sorted({round(dice.uniform(-10, 1000), dice.randint(0, 6)) for _ in range(dice.randint(0, 8))})
            counts = [dice.randint(0, 9) for _ in range(len(bounds) + 1)]
            made.append(histogram_point(counts, bounds, attributes, sum=dice.uniform(-9, 9), **times))
        else:
            made.append(point(dice.choice([dice.randint(0, 2**53), dice.uniform(-1e9, 1e9), 0.0]), attributes, **times))
    return kind(*made, name=odd_name(dice), unit=dice.choice(UNITS), description=odd_text(dice))


def odd_name(dice):
    return "".join(dice.choices(CHARACTERS, k=dice.randint(1, 25)))


def odd_text(dice):
    return dice.choice(TEXTS)


def odd_attributes(dice):
    return {key: dice.choice(VALUES) for key in dice.sample(KEYS, dice.randint(0, 6))}
