"""What of a declarative file is our exporter's, and wrong."""

from __future__ import annotations

import pytest
from opentelemetry.sdk import environment_variables as sdk
from opentelemetry_prometheus_remote_write.declarative_file import build_from_file

from tests.application import run

pytestmark = pytest.mark.skipif(
    not hasattr(sdk, "OTEL_CONFIG_FILE"), reason="this SDK reads no declarative files: 1.44 does"
)

SCRIPT = """
import os, sys
from opentelemetry import metrics
from opentelemetry.configuration import load_config_file
from opentelemetry_prometheus_remote_write.declarative_file import build_from_file
for number, part in enumerate(sys.argv[1:]):
    with open("otel.yaml", "w") as file:
        file.write('file_format: "1.0"\\nmeter_provider: {readers: [{periodic: {interval: 3600000, exporter: '
                   '{prometheus_remote_write: ' + part + '}}}]}\\n')
    metrics._internal._METER_PROVIDER_SET_ONCE._done = False
    build_from_file()
    metrics.get_meter_provider().force_flush()
os._exit(0)
"""
WRONG = {
    "[1, 2]": "must hold arguments (name: value), not be of the type list",
    "http://127.0.0.1:9": "must hold arguments (name: value), not be of the type str",
    "0": "must hold arguments (name: value), not be of the type int",
    "false": "must hold arguments (name: value), not be of the type bool",
    "{9: 10}": "TypeError: unknown argument '9'",
    "{null: 10}": "TypeError: unknown argument 'None'",
    "{self: 1}": "TypeError: unknown argument 'self'",
    "{preferred_temporality: delta}": "TypeError: preferred_temporality must map kinds of instruments",
    "{preferred_aggregation: {counter: sum}}": "TypeError: preferred_aggregation has the key 'counter'",
    "{resources_as_labels: 1}": "TypeError: resources_as_labels must be True or False",
    "{transport: http}": "TypeError: transport must be a BaseTransport",
}


def test_whatever_is_given_to_our_exporter_the_sdk_is_configured(tmp_path):
    ended = run("python", "-c", SCRIPT, *WRONG, cwd=tmp_path, OTEL_CONFIG_FILE="otel.yaml")
    assert ended.status == 0
    assert len(ended.errors) == len(WRONG)
    for line, said in zip(ended.errors, WRONG.values(), strict=True):
        assert "Metrics are not sent by Remote Write: mistake in the file: " in line
        assert said in line


def test_what_is_wrong_elsewhere_is_the_sdks_to_say(tmp_path, monkeypatch):
    file = tmp_path / "otel.yaml"
    file.write_text('file_format: "1.0"\nmeter_provider: [1]\n')
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(file))
    with pytest.raises(Exception, match="does not match schema"):
        build_from_file()
