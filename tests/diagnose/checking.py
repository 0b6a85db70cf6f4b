"""`otel-prw check` as a process of its own, and what it finds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.application import run

OURS = {"OTEL_PYTHON_DISTRO": "prometheus_remote_write", "OTEL_SERVICE_NAME": "shop"}
"""The tests' environment has another distro, too."""


@dataclass(frozen=True)
class Checked:
    """What a check has found, by its topic."""

    status: int
    findings: dict[str, dict[str, Any]]

    def of(self, level: str) -> set[str]:
        """The topics of a level."""
        return {topic for topic, finding in self.findings.items() if finding["level"] == level}

    @property
    def failures(self) -> set[str]:
        return self.of("failure")

    def text(self, topic: str) -> str:
        return self.findings[topic]["text"]

    def cure(self, topic: str) -> str:
        return self.findings[topic]["cure"]


def check(folder: Path, endpoint: str = "", *flags: str, **variables: str) -> Checked:
    """Check in a folder."""
    given = {**OURS, **({"OTEL_EXPORTER_PRW_ENDPOINT": endpoint} if endpoint else {}), **variables}
    ended = run("otel-prw", "check", "--json", *flags, cwd=folder, **given)
    assert ended.errors == []
    document = json.loads(ended.output)
    assert document["arrives"] is (ended.status == 0)
    return Checked(ended.status, {finding["topic"]: finding for finding in document["findings"]})
