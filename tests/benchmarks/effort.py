"""How much is measured: everything, or what shows in a minute roughly where we are."""

from __future__ import annotations

from typing import NamedTuple

from tests.benchmarks.load import WORK, Load


class Effort(NamedTuple):
    """The size of a run.

    Args:
        load: The work of one export.
        rounds: Measured exports of each exporter, in turns.
        predecessor_rounds: The same of the predecessor, which is slow.
        fresh: Processes for each figure that needs fresh ones.
        growth: The loads whose costs by series are compared.
        growth_rounds: Measured exports of each of them.
        growth_series: Series that are exported in each round, at least.
        churned: Exports between which streams are replaced.
        seconds: How long the busy thread works, twice for each exporter.
        starts: Starts of the launcher.
    """

    load: Load
    rounds: int
    predecessor_rounds: int
    fresh: int
    growth: tuple[Load, ...]
    growth_rounds: int
    growth_series: int
    churned: int
    seconds: float
    starts: int


_GROWTH = (Load(10, 2, 22), Load(100, 20, 22), Load(100, 20, 220), Load(1000, 200, 220))  # 1,012 to 1,012,000 series

FULL = Effort(
    load=WORK,
    rounds=25,
    predecessor_rounds=5,
    fresh=3,
    growth=_GROWTH,
    growth_rounds=9,
    growth_series=100_000,
    churned=30,
    seconds=5.0,
    starts=20,
)
QUICK = Effort(
    load=WORK,
    rounds=7,
    predecessor_rounds=2,
    fresh=2,
    growth=_GROWTH[:3],
    growth_rounds=5,
    growth_series=100_000,
    churned=10,
    seconds=1.0,
    starts=4,
)
