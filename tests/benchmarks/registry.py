"""What it costs to push a registry of prometheus_client, beside what it costs to write its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from tests.benchmarks.effort import Effort
from tests.benchmarks.exporters import OURS_1, OURS_2
from tests.benchmarks.interpreter import Interpreter
from tests.benchmarks.page import Page
from tests.benchmarks.table import Row

_PROTOCOLS = {OURS_1: "1.0", OURS_2: "2.0"}


def rows(pythons: Mapping[str, str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of a registry: collection included, and given apart.

    Args:
        pythons: The interpreters of the exporters that take part.
        effort: How much.
    """
    for name, protocol in _PROTOCOLS.items():
        with Interpreter(pythons[name], Page, list(effort.load), protocol) as page:
            cold = page.call("push")
            pushes = [page.call("push") for _ in range(effort.rounds)]
            pages = [page.call("write") for _ in range(effort.rounds)]
            collections = [page.call("collect") for _ in range(effort.rounds)]
        yield Row(f"registry, warm, {protocol}", median(pushes), "s", median(pages), "its page", 1 / 2)
        yield Row(f"registry, cold, {protocol}", cold, "s", median(pages), "its page", 3 / 2)
        yield Row(f"registry, collection, {protocol}", median(collections), "s", median(pages), "its page")
