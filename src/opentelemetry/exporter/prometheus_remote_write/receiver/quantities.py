"""Numbers as people read them, with their unit: 15 ms, 1.2 MB, 41.2/s; and a row of them as a small picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from .notation import value_text

_BARS = "▁▂▃▄▅▆▇█"
_THOUSANDS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SCALES = {
    "bytes": ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")),
    "seconds": ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
}
_SMALLEST_WRITTEN_OUT = 1e-6
_EARLIEST, _LATEST = 1e9, 1e10
_ZERO = {"bytes": "0 B", "seconds": "0 s"}


def quantity(value: float | None, unit: str = "", digits: int = 3) -> str:
    """Return a value in three digits or so, with its unit.

    Args:
        value: The value; None is the empty string.
        unit: The unit as Prometheus writes it, such as ``seconds`` or ``bytes``; others are left out.
        digits: How many digits to show of a number with decimals.
    """
    if value is None:
        return ""
    if not math.isfinite(value):
        return value_text(value)
    if is_moment(value, unit):
        return datetime.fromtimestamp(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if unit == "ratio":
        return f"{_digits(value * 100, digits)} %"
    if scale := _SCALES.get(unit):
        factor, letters = next((step for step in scale if abs(value) >= step[0]), scale[-1])
        return f"{_digits(value / factor, digits)} {letters}" if value else _ZERO[unit]
    factor, letter = next((step for step in _THOUSANDS if abs(value) >= 10 * step[0]), (1.0, ""))
    return f"{_digits(value / factor, digits)}{letter}"


def unit_of(name: str, unit: str) -> str:
    """Return a metric's unit: what its sender says, or else what its name ends with."""
    if unit in {"s", "seconds"} or _ends(name, "seconds"):
        return "seconds"
    if unit in {"By", "bytes"} or _ends(name, "bytes"):
        return "bytes"
    return "ratio" if _ends(name, "ratio") else unit


def is_moment(value: float, unit: str) -> bool:
    """Return whether a number of seconds is a time since the epoch: as a duration it would exceed thirty years."""
    return unit == "seconds" and _EARLIEST <= value < _LATEST


def per_second(rate: float | None, digits: int = 3) -> str:
    """Return a rate."""
    return "" if rate is None else f"{quantity(rate, digits=digits)}/s"


def sparkline(values: Sequence[float | None]) -> str:
    """Return a bar for each value, the highest for the largest of them; a blank where there is none."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min([0.0, *known]), max([0.0, *known])

    def bar(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return " "
        return _BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] if high > low else _BARS[0]

    return "".join(map(bar, values))


def _ends(name: str, unit: str) -> bool:
    return name.removesuffix("_total").endswith(f"_{unit}")


def _digits(value: float, digits: int) -> str:
    """Return some digits, or all of a whole number."""
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) < _SMALLEST_WRITTEN_OUT:
        return f"{value:.2g}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{min(decimals, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
