"""The table of hosts in docs/reference/combinations.md, as it is measured."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.end_to_end.hosts.driver import measure
from tests.end_to_end.hosts.host import Host, Outcome
from tests.servers.package import UnavailableError

AT_ONCE = 3
"""So many rows side by side: processes mostly wait, for each other and for an interval."""
_SECONDS = re.compile(r"\d+\.\d s")

HEAD = """\
| host | run as | counts | last interval | exit | what has to be set |
| --- | --- | --- | --- | --- | --- |
"""


def measured(hosts: Sequence[Host]) -> dict[Host, Outcome | str]:
    """Run all hosts; where one cannot be had here, the reason stands in place of its outcome."""

    def outcome(host: Host) -> Outcome | str:
        try:
            with tempfile.TemporaryDirectory() as folder:
                return measure(host, Path(folder) / "files")
        except UnavailableError as reason:
            return str(reason)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(hosts, pool.map(outcome, hosts), strict=True))


def table(outcomes: Mapping[Host, Outcome | str]) -> str:
    """All rows; those that differ in nothing but what the table does not show are one, of the longest exit."""
    rows: dict[str, str] = {}
    for host, outcome in outcomes.items():
        line = row(host, outcome)
        rows[without_seconds(line)] = max(rows.get(without_seconds(line), ""), line)
    return HEAD + "".join(f"{line}\n" for line in rows.values())


def row(host: Host, outcome: Outcome | str) -> str:
    """The row of one host."""
    return f"| {' | '.join((host.name, host.kind or ' ', *_found(host, outcome), host.to_set))} |"


def without_seconds(text: str) -> str:
    """The same, whatever was measured of times."""
    return _SECONDS.sub("", text)


def _found(host: Host, outcome: Outcome | str) -> tuple[str, str, str]:
    if isinstance(outcome, str):
        return f"not measured: {outcome}", " ", " "
    if outcome.faults:
        raise RuntimeError(f"{host}: {outcome.faults}\n{outcome.log}")
    because = f": {host.because}" if host.because else ""
    return (
        "exact" if outcome.tells_whole else f"**not exact**{because}",
        "arrives" if outcome.tells_last else f"**is lost**{because if outcome.tells_whole else ''}",
        f"{outcome.seconds:.1f} s",
    )
