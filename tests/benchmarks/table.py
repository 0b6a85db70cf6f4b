"""The table of figures: what was measured, what it is compared with, and whether the target is met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

_HEADER = ("figure", "measured", "compared with", "ratio", "target", "met")
_UNITS = {"s": (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)), "B": (("MB", 1e6), ("kB", 1e3), ("B", 1.0))}


class Row(NamedTuple):
    """One figure.

    Args:
        figure: Its name.
        value: What was measured.
        unit: ``s``, ``B`` or a word for what is counted.
        reference: What it is compared with, measured in the same run.
        of: Whose figure the reference is.
        limit: The target: the greatest ratio of the two; None where there is none.
    """

    figure: str
    value: float
    unit: str
    reference: float
    of: str
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """Value by reference, if that is a number."""
        return self.value / self.reference if self.reference else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met, to two digits; None where there is none."""
        if self.limit is None:
            return None
        return round(self.ratio / self.limit, 2) <= 1 if self.ratio is not None else self.value <= 0

    def cells(self) -> tuple[str, ...]:
        """Return what stands in the table."""
        return (
            self.figure,
            _quantity(self.value, self.unit),
            f"{_quantity(self.reference, self.unit)} {self.of}",
            "" if self.ratio is None else _ratio(self.ratio),
            "" if self.limit is None else _ratio(self.limit),
            {None: "", True: "OK", False: "MISSED"}[self.met],
        )


def plain(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    lines = [_HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def markdown(rows: Iterable[Row]) -> str:
    """Return the table for a README."""
    lines = [_HEADER, ("---",) * len(_HEADER), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_json(machine: Mapping[str, str], rows: Iterable[Row]) -> dict[str, Any]:
    """Return everything as JSON knows it, numbers unrounded."""
    return {
        "machine": dict(machine),
        "figures": [row._asdict() | {"ratio": row.ratio, "met": row.met} for row in rows],
    }


def _quantity(value: float, unit: str) -> str:
    if unit not in _UNITS:
        return f"{value:g} {unit}"
    units = _UNITS[unit]
    name, factor = next((each for each in units if abs(value) >= each[1]), units[-1])
    return f"{value / factor:.3g} {name}" if abs(value / factor) < 1000 else f"{value / factor:.0f} {name}"


def _ratio(ratio: float) -> str:
    return f"1/{1 / ratio:.3g}" if 0 < ratio < 0.2 else f"{ratio:.2f}"
