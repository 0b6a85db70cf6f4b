"""Writes the templates of the dashboards into the package, and what they are by default beside this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from examples.monitoring.build.application import application
from examples.monitoring.build.exporter import exporter
from opentelemetry.exporter.prometheus_remote_write.monitoring import printed
from opentelemetry.exporter.prometheus_remote_write.monitoring.in_force import repository
from opentelemetry.exporter.prometheus_remote_write.monitoring.names import Names

HERE = Path(__file__).resolve().parents[1]
TEMPLATES = Path(printed.__file__).parent / "templates"
BUILT = {
    "application": lambda: application(native=False),
    "application-native": lambda: application(native=True),
    "exporter": exporter,
}


def template(name: str) -> str:
    """Return a dashboard as JSON, with metrics and labels in OpenTelemetry's words."""
    model: dict[str, Any] = json.loads(JSONEncoder().encode(BUILT[name]().build()))
    for number, panel in enumerate(model["panels"], 1):
        panel["id"] = number
    return json.dumps(model, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def example(name: str) -> str:
    """Return a dashboard as it is printed by default."""
    return printed.dashboard(name.removesuffix("-native"), Names(native=name.endswith("-native")))


def rules() -> str:
    """Return the rules as they are printed by default."""
    return printed.rules(Names(repository=repository()))


def main() -> None:
    """Write all of them."""
    for name in printed.TEMPLATES:
        (TEMPLATES / f"{name}.json").write_text(template(name), encoding="utf-8")
        (HERE / f"{name}.json").write_text(example(name), encoding="utf-8")
    (HERE / "rules.yaml").write_text(rules(), encoding="utf-8")


if __name__ == "__main__":
    main()
