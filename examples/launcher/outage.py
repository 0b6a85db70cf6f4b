"""An outage, shown: the alert that fires while nothing arrives, and what arrives afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from examples.launcher.report import Check
from opentelemetry.exporter.prometheus_remote_write.monitoring.names import Names
from opentelemetry.exporter.prometheus_remote_write.monitoring.printed import rules
from tests.receivers.between import Between
from tests.servers.prometheus_api import PrometheusApi

INTERVAL = 1.0  # seconds
ALERT = "MetricsStopped"
TIMEOUT = 30.0  # seconds
PUSHES = f'target_info{{job="shop"}}[{TIMEOUT * 3:.0f}s]'


def configuration(rules_file: str) -> str:
    """Return Prometheus's configuration: it evaluates the rules twice a second."""
    return f"global: {{evaluation_interval: 500ms}}\nrule_files: [{rules_file}]\n"


def rules_for_the_demo() -> str:
    """Return the alerts and recording rules for the demo's interval."""
    return rules(Names(interval=INTERVAL))


def show(prometheus: PrometheusApi, way: Between) -> Iterator[Check]:
    """Close the way to the receiver until the alert fires, open it again, and look at what has arrived."""
    print(f"Nothing reaches Prometheus any more. What does it say of the alert {ALERT}?", flush=True)
    before = _pushes(prometheus)
    began = time.monotonic()
    way.closed = True
    seen: list[str] = []

    def fires() -> bool:
        state = _state(prometheus)
        if state != (seen or [""])[-1]:
            seen.append(state)
            print(f"    {time.monotonic() - began:4.1f} s  {state or 'nothing'}", flush=True)
        return state == "firing"

    fired = _in_time(fires)
    missed = int((time.monotonic() - began) / INTERVAL) - 1
    way.closed = False
    print("The receiver is back.", flush=True)
    ended = _in_time(lambda: not _state(prometheus))
    arrived = _pushes(prometheus) - before
    print(f"    {time.monotonic() - began:4.1f} s  nothing\n", flush=True)
    yield Check(
        f"{ALERT} was pending, then fired while the receiver was away", fired and seen[-2:] == ["pending", "firing"]
    )
    yield Check("it ended when the receiver was back", ended)
    yield Check(f"the {missed} intervals of the outage were delivered afterwards", arrived >= missed > 0)


def _state(prometheus: PrometheusApi) -> str:
    states = [alert["state"] for alert in prometheus.alerts() if alert["labels"]["alertname"] == ALERT]
    return states[0] if states else ""


def _pushes(prometheus: PrometheusApi) -> int:
    return sum(len(series.points) for series in prometheus.range_vector(PUSHES))


def _in_time(happens: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + TIMEOUT
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
