"""Writes docs/reference/receiver-matrix.md from what is measured now: python -m tests.receivers.page."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timezone
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from opentelemetry.exporter.prometheus_remote_write.version import __version__
from tests.receivers.features import FEATURES, Feature
from tests.receivers.limits import LIMITS, MANY
from tests.receivers.matrix import limit_protocols, measure, measure_limit
from tests.receivers.receivers import RECEIVERS
from tests.receivers.trial import Outcome, differences
from tests.servers.package import UnavailableError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "receiver-matrix.md"
Measured = TypeVar("Measured")
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
        rows = [_row(server, feature, receiver.protocols) for feature in FEATURES.values()]
        version = server.version
        only_1 = "" if "2.0" in receiver.protocols else f" {_with_2_alone(measure(server, FEATURES['numbers'], '2.0'))}"
    head = ["feature", *(f"`{protocol}`" for protocol in receiver.protocols)]
    return "\n".join(
        [
            f"### {receiver.title} {version}{', as it comes' if receiver.is_default else ''}",
            "",
            f"Set up: {receiver.setup}.{only_1}",
            "",
            _line(head),
            _line("---" for _ in head),
            *rows,
        ]
    )


def _row(server: Any, feature: Feature, protocols: Sequence[str]) -> str:
    can_be_sent = [protocol in feature.protocols for protocol in protocols]
    return _line(
        [
            feature.title,
            *(
                _cell(measure(server, feature, protocol), protocol) if can else "-"
                for protocol, can in zip(protocols, can_be_sent, strict=True)
            ),
        ]
    )


def _cell(outcome: Outcome, protocol: str) -> str:
    return f"{outcome.verdict}, by {outcome.protocol}" if protocol == "auto" else outcome.verdict


def _with_2_alone(outcome: Outcome) -> str:
    """What a receiver of 1.0 makes of 2.0, where nothing else is allowed."""
    answers = ", ".join(dict.fromkeys(f"`{each.status}`" for each in outcome.passed))
    return f"With `OTEL_EXPORTER_PRW_PROTOCOL=2.0` it answers {answers} and holds nothing; the export fails."


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


class LimitRow(NamedTuple):
    """What becomes of what runs into a limit."""

    receiver: str
    limit: str
    protocol: str
    statuses: str
    words: str
    held: str
    export: str
    counted: str
    advice: str


def limit_row(name: str, protocol: str) -> LimitRow:
    """What becomes of what runs into a limit."""
    limit = LIMITS[name]
    outcome, _, version = measure_limit(limit, protocol)
    refused = [each for each in outcome.passed if each.status >= HTTPStatus.MULTIPLE_CHOICES]
    return LimitRow(
        receiver=f"{RECEIVERS[limit.receiver].title} {version.partition('+')[0]}",
        limit=limit.title + (f": {limit.shown}" if limit.shown else ""),
        protocol=protocol,
        statuses=", ".join(dict.fromkeys(f"`{each.status}`" for each in refused)) or "no refusal",
        words=f"`{plain(refused[0].words)}`" if refused else "-",
        held=f"{MANY - len(differences(outcome.compared))} of {MANY - limit.lost}",
        export="succeeds" if outcome.accepted else "fails",
        counted=", ".join(f"{number} {what}" for what, number in outcome.counted.items()) or "-",
        advice=hints(outcome) or "-",
    )


def merged(rows: Iterable[LimitRow]) -> list[LimitRow]:
    """Rows that differ in nothing but the protocol and the words, as one."""
    found: dict[LimitRow, LimitRow] = {}
    for row in rows:
        key = row._replace(protocol="", words="")
        before = found.get(key)
        found[key] = before._replace(protocol=f"{before.protocol}, {row.protocol}") if before else row
    return list(found.values())


def plain(words: str) -> str:
    """What a receiver said, without what differs from run to run, and not too long."""
    text = re.sub(r"^(maxFailure|forwarding request) .*?(desc = |locally: )", "... ", words)
    text = re.sub(r"(\w)\1{20,}", r"\1\1\1...", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d{13}\b", "<time>", text)
    text = re.sub(r"trial-\d+", "shop", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "instance-1", text)
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
    PAGE.write_text(
        page(sections, [_line(row) for row in merged(rows)], NOT_MEASURED, datetime.now(timezone.utc).date()),
        encoding="utf-8",
    )
    return 0


def _told(name: str, measured: Measured) -> Measured:
    print(f"measured {name}", flush=True)
    return measured


NOT_MEASURED = [
    (
        "Mimir: Go's module proxy does not serve its releases here (asked for `mimir-3.0.5`, answered 403), so this "
        "target cannot build it."
    ),
    (
        "The OpenTelemetry Collector's `prometheusremotewritereceiver`: not served either (asked for `v0.165.1`). It "
        "was pushed to once, outside this target: it speaks 2.0 only, drops classic histograms, and does not count "
        "`target_info` and exemplars as written."
    ),
    "Grafana Cloud, Amazon Managed Service for Prometheus, Azure Monitor: these need an account.",
]

_PAGE = """\
# Receivers, as measured

Metrics were pushed to real receivers, queried by PromQL and compared with what the SDK recorded. `make receivers`
builds the receivers that Debian does not package, measures, and writes this page. It was last run on {date}, with
version {version} of the exporter.

- **exact**: the export succeeds, and every value, label and time is what was recorded.
- **exact, but the export fails**: everything is stored, but the exporter reports that it is not.
- **dropped silently**: the receiver answers 2xx but does not store it, which no sender can know.
- **refused**: the receiver does not store it, and the export fails. "In part" means that the rest is stored.

With `auto`, the default of `OTEL_EXPORTER_PRW_PROTOCOL`, a cell names the version that was negotiated.
[Where to push](../how-to/receivers.md) explains how to configure each receiver.

## Features

{sections}

## Limits

Each row pushes forty good series together with data that exceeds the limit. "Held" counts the good series that are
stored, out of those that the limit has room for. "Counted" is the exporter's count of all samples that it sent,
including zero samples and bad ones. The advice is what its log adds to the receiver's words.

| receiver | limit | protocol | answers | in the words | held | the export | counted | advice |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{limits}

## Not measured
{missing}
"""

if __name__ == "__main__":
    sys.exit(main())
