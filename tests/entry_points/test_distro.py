"""What the distro chooses, and what it keeps off standard error."""

from __future__ import annotations

import json

import pytest
from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry_prometheus_remote_write.distro import PrometheusRemoteWriteDistro

from tests.application import AMPLE, run

CHOSEN = {"OTEL_METRICS_EXPORTER": "prometheus_remote_write", "OTEL_PYTHON_CONFIGURATOR": "prometheus_remote_write"}
CONFIGURE = """
import json, logging, os
from opentelemetry_prometheus_remote_write.distro import PrometheusRemoteWriteDistro
PrometheusRemoteWriteDistro().configure()
"""
PRINT_ENVIRONMENT = f"""
names = {{name for name in os.environ if name.startswith('OTEL_')}} - {{*{[*AMPLE]}}}
print(json.dumps({{name: os.environ[name] for name in names}}))
"""
LAUNCHERS_LOG = "opentelemetry.instrumentation.auto_instrumentation._load"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({}, CHOSEN, id="ours where nothing is said"),
        pytest.param(dict.fromkeys(CHOSEN, ""), CHOSEN, id="ours where the variables are empty"),
        pytest.param(dict.fromkeys(CHOSEN, " "), CHOSEN, id="ours where the variables are blank"),
        pytest.param(
            {"OTEL_METRICS_EXPORTER": "console"},
            CHOSEN | {"OTEL_METRICS_EXPORTER": "console"},
            id="another exporter that is asked for",
        ),
        pytest.param(
            {"OTEL_METRICS_EXPORTER": "none"},
            CHOSEN | {"OTEL_METRICS_EXPORTER": "none"},
            id="no exporter where none is asked for",
        ),
        pytest.param(
            {"OTEL_PYTHON_CONFIGURATOR": "acme"},
            CHOSEN | {"OTEL_PYTHON_CONFIGURATOR": "acme"},
            id="another configurator that is asked for",
        ),
        pytest.param(
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": ""},
            CHOSEN | {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": ""},
            id="traces and logs are left alone",
        ),
    ],
)
def test_distro_chooses(variables, expected, tmp_path):
    ended = run("python", "-c", CONFIGURE + PRINT_ENVIRONMENT, cwd=tmp_path, **variables)
    assert (json.loads(ended.output), ended.errors) == (expected, [])


def test_distro_keeps_quiet_that_other_configurators_are_passed_over_and_nothing_else(tmp_path):
    script = f"""
log = logging.getLogger({LAUNCHERS_LOG!r})
log.warning("Configuration of %s not loaded, %s already loaded", "acme", "prometheus_remote_write")
log.warning("Configuration of %s not loaded because %s is set by %s", "acme", "prometheus_remote_write", "X")
log.warning("Configuration of %s not loaded, %s already loaded", "prometheus_remote_write", "acme")
log.warning("Configuration of %s not loaded because %s is set by %s", "prometheus_remote_write", "acme", "X")
log.warning("Importing of %s failed, skipping it", "prometheus_remote_write")
log.warning("something else")
log.warning("%(a)s", {{"a": "a mapping"}})
logging.getLogger("app").warning("Configuration of %s not loaded, %s already loaded", "x", "prometheus_remote_write")
assert log.level == logging.NOTSET and log.propagate and not log.disabled
"""
    ended = run("python", "-c", CONFIGURE + script, cwd=tmp_path)
    assert ended.errors == [
        "Configuration of prometheus_remote_write not loaded, acme already loaded",
        "Configuration of prometheus_remote_write not loaded because acme is set by X",
        "Importing of prometheus_remote_write failed, skipping it",
        "something else",
        "a mapping",
        "Configuration of x not loaded, prometheus_remote_write already loaded",
    ]


def test_distro_can_be_configured_again(tmp_path):
    script = f"PrometheusRemoteWriteDistro().configure(); print(len(logging.getLogger({LAUNCHERS_LOG!r}).filters))"
    assert run("python", "-c", CONFIGURE + script, cwd=tmp_path).output == "1\n"


def test_distro_shares_no_instance_with_another():
    assert PrometheusRemoteWriteDistro.__bases__ == (BaseDistro,)
