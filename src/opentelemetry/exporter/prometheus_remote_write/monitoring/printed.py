"""The dashboards and rules that can be printed."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from .names import Names

DASHBOARDS = ("application", "exporter")
TEMPLATES = ("application", "application-native", "exporter")
"""The application's dashboard has a variant for native histograms."""
_NEEDS_TARGET_INFO = re.compile(r"^ *- alert: MetricsStopped\n.*?(?=^ *- alert: )", re.DOTALL | re.MULTILINE)
_WITHOUT_IT = """\
      # No alert MetricsStopped: it needs target_info, which OTEL_EXPORTER_PRW_DISABLE_TARGET_INFO switches off.

"""


def dashboard(name: str, names: Names) -> str:
    """Return a Grafana dashboard as JSON.

    Args:
        name: One of ``DASHBOARDS``.
        names: How the exporter writes names, and which histograms it sends.
    """
    template = f"{name}-native" if names.native and f"{name}-native" in TEMPLATES else name
    return json.dumps(_filled(json.loads(_read(f"{template}.json")), names), indent=2, ensure_ascii=False) + "\n"


def rules(names: Names) -> str:
    """Return Prometheus's alerts and recording rules as YAML.

    Args:
        names: How the exporter writes names, how often it exports, and whether it sends ``target_info``.
    """
    template = _read("rules.yaml")
    return names.fill(template if names.target_info else _NEEDS_TARGET_INFO.sub(_WITHOUT_IT, template))


def _read(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _filled(value: Any, names: Names) -> Any:
    """Return a JSON value with the names filled into all strings; writing JSON escapes quoted names."""
    if isinstance(value, dict):
        return {key: _filled(element, names) for key, element in value.items()}
    if isinstance(value, list):
        return [_filled(element, names) for element in value]
    return names.fill(value) if isinstance(value, str) else value
