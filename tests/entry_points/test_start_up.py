"""What a process pays that is started under the launcher: no HTTP and no protobuf before an exporter is made."""

from __future__ import annotations

import json

import pytest
from opentelemetry_prometheus_remote_write import NAME

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run

HEAVY = ["cramjam", "google.protobuf", "snappy", "urllib3"]
PRINT_HEAVY = f"; import json, sys; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
EXPORTER = "opentelemetry.exporter.prometheus_remote_write"
PLUG = "opentelemetry_prometheus_remote_write"


@pytest.mark.parametrize(
    "module",
    [EXPORTER, f"{EXPORTER}.environment_variables", PLUG, f"{PLUG}.distro", f"{PLUG}.configurator"],
)
def test_entry_point_imports_neither_http_nor_protobuf(module, tmp_path):
    ended = run("python", "-c", f"import {module}{PRINT_HEAVY}", cwd=tmp_path)
    assert (ended.status, json.loads(ended.output), ended.errors) == (0, [], [])


@pytest.mark.parametrize(("half", "other"), [("distro", "configurator"), ("configurator", "distro")])
def test_half_of_the_plug_imports_neither_the_library_nor_the_other_half(half, other, tmp_path):
    ours = "[name for name in sys.modules if 'prometheus_remote_write' in name]"
    ended = run("python", "-c", f"import {PLUG}.{half}, sys; print(*sorted({ours}))", cwd=tmp_path)
    assert (ended.status, ended.errors) == (0, [])
    loaded = ended.output.split()
    assert f"{PLUG}.{half}" in loaded
    assert [name for name in loaded if name.startswith((EXPORTER, f"{PLUG}.{other}"))] == []


HEAVY_FROM_FIRST_EXPORT_ON = f"""
import json, sys
from {EXPORTER} import PrometheusRemoteWriteMetricsExporter
from opentelemetry.sdk.metrics.export import MetricsData
def heavy():
    return [name for name in {HEAVY} if name in sys.modules]
exporter = PrometheusRemoteWriteMetricsExporter('http://127.0.0.1:9/write')
before = heavy()
exporter.export(MetricsData([]), timeout_millis=100)
print(json.dumps([before, heavy()]))
exporter.shutdown()
"""


def test_exporter_imports_them_at_its_first_export(tmp_path):
    ended = run("python", "-c", HEAVY_FROM_FIRST_EXPORT_ON, cwd=tmp_path)
    before, after = json.loads(ended.output)
    assert before == []
    assert {"google.protobuf", "urllib3"} <= set(after)


def test_launcher_starts_without_them_and_its_exporter_sends_what_was_counted_all_the_same(tmp_path):
    counts = "from opentelemetry import metrics; metrics.get_meter('tests').create_counter('hits').add(1)"
    with Receiver() as receiver:
        ended = run(
            "opentelemetry-instrument",
            "python",
            "-c",
            f"{counts}{PRINT_HEAVY}",
            cwd=tmp_path,
            OTEL_PYTHON_DISTRO=NAME,
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="*",
            OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
        )
        assert (ended.status, json.loads(ended.output), ended.errors) == (0, [], [])
        assert receiver.values("hits_total") == [0, 1]


STDLIB_OF_THE_SDK = f"""
import sys
import opentelemetry.sdk._configuration, opentelemetry.instrumentation.auto_instrumentation
from opentelemetry.sdk.metrics import MeterProvider
before = {{*sys.modules}}
from {PLUG} import configurator, distro
from {EXPORTER}.lifecycle.controller import Controller
from {EXPORTER} import PrometheusRemoteWriteMetricsExporter
MeterProvider([Controller(PrometheusRemoteWriteMetricsExporter('http://127.0.0.1:9/write'), 3_600_000)])
print(*sorted({{*sys.modules}} - before))
sys.stdout.flush()
import os
os._exit(0)
"""
OFTEN_SHADOWED = {
    "calendar",
    "code",
    "decimal",
    "email",
    "hashlib",
    "html",
    "http",
    "numbers",
    "queue",
    "statistics",
    "test",
}


def test_no_module_is_imported_at_the_start_whose_name_an_application_may_well_use(tmp_path):
    """Such a file in the working directory would be run by us, before the application and instead of Python's own."""
    ended = run("python", "-c", STDLIB_OF_THE_SDK, cwd=tmp_path)
    top = {name.partition(".")[0] for name in ended.output.split()}
    assert top & OFTEN_SHADOWED == set()


@pytest.mark.parametrize("name", ["queue", "decimal", "hashlib", "html", "http"])
def test_application_with_a_file_of_the_name_of_a_module_that_only_we_import_runs_on(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("raise SystemExit('this is the application, run by mistake')")
    (tmp_path / "app.py").write_text("print('the application')")
    ours = {"OTEL_PYTHON_DISTRO": NAME, "OTEL_EXPORTER_PRW_ENDPOINT": "http://127.0.0.1:9/write"}
    disabled = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}
    without, with_us = (
        run("opentelemetry-instrument", "python", "app.py", cwd=tmp_path, **variables, **disabled)
        for variables in ({"OTEL_METRICS_EXPORTER": "none"}, ours)
    )
    assert (with_us.status, with_us.output) == (without.status, without.output)


def test_package_has_no_other_late_name(tmp_path):
    ended = run("python", "-c", f"from {EXPORTER} import Exporter", cwd=tmp_path)
    assert ended.status == 1
    assert ended.errors[-1].startswith("ImportError: cannot import name 'Exporter'")


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"OTEL_METRICS_EXPORTER": "none"}, id="metrics are not exported"),
        pytest.param({"OTEL_METRICS_EXPORTER": "console"}, id="metrics go elsewhere"),
        pytest.param(
            {"OTEL_METRICS_EXPORTER": "prometheus_remote_write", "OTEL_SDK_DISABLED": "TRUE"}, id="the SDK is disabled"
        ),
    ],
)
def test_configurator_imports_neither_where_nothing_goes_out_by_remote_write(variables, tmp_path):
    script = f"from {PLUG}.configurator import PrometheusRemoteWriteConfigurator as C; C().configure(){PRINT_HEAVY}"
    ended = run("python", "-c", script, cwd=tmp_path, **variables)
    assert (ended.status, json.loads(ended.output.splitlines()[0]), ended.errors) == (0, [], [])


OAUTH2 = {
    "OTEL_EXPORTER_PRW_OAUTH2_TOKEN_URL": "https://login.invalid/token",
    "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_ID": "shop",
    "OTEL_EXPORTER_PRW_OAUTH2_CLIENT_SECRET": "secret",
}


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="none"),
        pytest.param({"OTEL_EXPORTER_PRW_AUTH": "sigv4"}, id="sigv4"),
        pytest.param({"OTEL_EXPORTER_PRW_AUTH": "azure"}, id="azure"),
        pytest.param(OAUTH2, id="oauth2"),
    ],
)
def test_no_library_of_a_cloud_is_imported_before_the_first_export(variables, tmp_path):
    script = (
        f"import json, sys; from {EXPORTER} import PrometheusRemoteWriteMetricsExporter as Exporter; "
        "exporter = Exporter(); "
        "clouds = {'botocore', 'azure', 'msal', 'requests', 'oauthlib', 'jwt'}; "
        f"ways = [name for name in sys.modules if name.startswith('{EXPORTER}.transport.authentication.')]; "
        "print(json.dumps([sorted(clouds & {*sys.modules}), sorted(name.rpartition('.')[2] for name in ways)]))"
    )
    ended = run(
        "python", "-c", script, cwd=tmp_path, OTEL_EXPORTER_PRW_ENDPOINT="http://127.0.0.1:9/write", **variables
    )
    clouds, ways = json.loads(ended.output)
    assert (ended.status, ended.errors, clouds) == (0, [], [])
    if not variables:
        assert {*ways} <= {"outgoing", "basic"}  # the second has the credentials of proxies
