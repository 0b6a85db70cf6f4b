"""Writes docs/reference/receiver-matrix.md from what is measured now: python -m tests.receivers.page."""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, timezone
from pathlib import Path

from opentelemetry.exporter.prometheus_remote_write.version import __version__
from tests.receivers.features import FEATURES
from tests.receivers.limits import LIMITS, MANY
from tests.receivers.matrix import limit_protocols, measure, measure_limit
from tests.receivers.receivers import RECEIVERS
from tests.receivers.trial import Outcome, differences
from tests.servers.package import UnavailableError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "receiver-matrix.md"
LONGEST = 160  # characters of what a receiver says


def page(sections: list[str], limits: list[str], missing: list[str], today: date) -> str:
    """The page of markdown."""
    return _PAGE.format(
        date=today.isoformat(),
        version=__version__,
        sections="\n\n".join(sections),
        limits="\n".join(limits),
        missing="".join(f"\n- {line}" for line in missing),
    )


def section(name: str) -> str:
    """What one receiver makes of every feature.

    Raises:
        UnavailableError: The receiver is not here.
    """
    receiver = RECEIVERS[name]
    with receiver.make() as server:
        rows = [
            f"| {feature.title} | "
            + " | ".join(
                _cell(measure(server, feature, protocol), protocol) if protocol in feature.protocols else "-"
                for protocol in receiver.protocols
            )
            + " |"
            for feature in FEATURES.values()
        ]
        version = server.version
    head = ["feature", *(f"`{protocol}`" for protocol in receiver.protocols)]
    return "\n".join(
        [
            f"### {receiver.title} {version}{', as it comes' if receiver.is_default else ''}",
            "",
            f"Set up: {receiver.setup}.",
            "",
            f"| {' | '.join(head)} |",
            f"| {' | '.join('---' for _ in head)} |",
            *rows,
        ]
    )


def _cell(outcome: Outcome, protocol: str) -> str:
    return f"{outcome.verdict}, by {outcome.protocol}" if protocol == "auto" else outcome.verdict


def limit_row(name: str, protocol: str) -> str:
    """What becomes of what runs into a limit."""
    limit = LIMITS[name]
    outcome = measure_limit(limit, protocol)
    refused = [each for each in outcome.passed if each.status >= 300]
    statuses = ", ".join(dict.fromkeys(f"`{each.status}`" for each in refused)) or "none"
    held = MANY - len(differences(outcome.compared))
    cells = (
        RECEIVERS[limit.receiver].title,
        limit.title + (f" ({limit.shown})" if limit.shown else ""),
        protocol,
        statuses,
        f"`{plain(refused[0].words)}`" if refused else "-",
        f"{held} of {MANY - limit.lost}",
        hints(outcome) or "-",
    )
    return f"| {' | '.join(cells)} |"


def plain(words: str) -> str:
    """What a receiver said, without what differs from run to run, and not too long."""
    text = re.sub(r"(\w)\1{20,}", r"\1\1\1...", words)
    text = re.sub(r"127\.0\.0\.1:\d+", "...", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d{13}\b", "<time>", text)
    text = " ".join(text.replace("|", "/").replace("`", "'").split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def hints(outcome: Outcome) -> str:
    """The advice in what the exporter logged."""
    found = (re.search(r" - (.+?)(?: \[[^\]]*\])?$", line) for line in outcome.said)
    return "; ".join(dict.fromkeys(match[1] for match in found if match)).replace("|", "/")


def main() -> int:
    """Measure and write; 1 if a receiver is not here, whose rows would be missing."""
    try:
        sections = [_told(name, section(name)) for name in RECEIVERS]
        rows = [_told(name, limit_row(name, protocol)) for name in LIMITS for protocol in limit_protocols(LIMITS[name])]
    except UnavailableError as reason:
        print(f"The page stays as it is: {reason}", file=sys.stderr)
        return 1
    PAGE.write_text(page(sections, rows, NOT_MEASURED, datetime.now(timezone.utc).date()), encoding="utf-8")
    return 0


def _told(name: str, text: str) -> str:
    print(f"measured {name}", flush=True)
    return text


NOT_MEASURED = [
    (
        "Mimir: Go's module proxy does not serve its releases here (asked for `mimir-3.0.5`, answered 403), so this "
        "target cannot build it."
    ),
    "Grafana Cloud, Amazon Managed Service for Prometheus, Azure Monitor: they need an account.",
]

_PAGE = """\
# Receivers, as measured

What real receivers hold of what is pushed, asked by PromQL and compared with what the SDK recorded. `make receivers`
builds those that are no package of Debian's, measures, and writes this page. It was last run on {date}, with version
{version} of the exporter.

- **exact**: the export succeeds, and every value, label and time is what was recorded.
- **exact, but the export fails**: all is there, and the exporter says that it is not.
- **dropped silently**: the receiver answers 2xx and does not hold it: no sender can know.
- **refused**: the receiver does not hold it, and the export fails. With "in part" the rest is held.

With `auto`, the default of `OTEL_EXPORTER_PRW_PROTOCOL`, a cell names the version that was settled on.
[Where to push](../how-to/receivers.md) says how each is configured.

## Features

{sections}

## Limits

Forty good series, and beside them what runs into the limit. "Held" counts the good ones, out of those that the limit
leaves room for. The advice is what the exporter's log adds to the receiver's words.

| receiver | limit | protocol | answers | in the words | held | advice |
| --- | --- | --- | --- | --- | --- | --- |
{limits}

## Not measured
{missing}
"""

if __name__ == "__main__":
    sys.exit(main())
