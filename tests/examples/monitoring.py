"""The dashboards of examples/monitoring, and what they ask."""

from __future__ import annotations

import json
from pathlib import Path

MONITORING = Path(__file__).resolve().parents[2] / "examples" / "monitoring"
JOB = "shop"
SINCE = "1m"  # what Grafana makes of $__rate_interval


def dashboard(name):
    return json.loads((MONITORING / f"{name}.json").read_text(encoding="utf-8"))


def panels(name):
    """The panels that show something, without the headings of rows."""
    return [panel for panel in dashboard(name)["panels"] if panel["type"] != "row"]


def queries(name):
    """The dashboard's PromQL, with Grafana's variables filled in."""
    return [filled(target["expr"]) for panel in panels(name) for target in panel["targets"]]


def filled(promql):
    return promql.replace("$__rate_interval", SINCE).replace("$job", JOB).replace("$instance", ".*")
