"""What a process pays that is started under the launcher: no HTTP and no protobuf before an exporter is made."""

from __future__ import annotations

import json

import pytest

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


@pytest.mark.parametrize(
    ("module", "loaded"),
    [
        pytest.param("distro", [PLUG, f"{PLUG}.distro"], id="the distro"),
        pytest.param("configurator", [PLUG, f"{PLUG}.configurator", f"{PLUG}.exporter_names"], id="the configurator"),
    ],
)
def test_half_of_the_plug_imports_neither_the_library_nor_the_other_half(module, loaded, tmp_path):
    ours = "[name for name in sys.modules if 'prometheus_remote_write' in name]"
    ended = run("python", "-c", f"import {PLUG}.{module}, sys; print(*sorted({ours}))", cwd=tmp_path)
    assert (ended.status, ended.output.split(), ended.errors) == (0, loaded, [])


def test_exporter_imports_both(tmp_path):
    ended = run(
        "python", "-c", f"from {EXPORTER} import PrometheusRemoteWriteMetricsExporter{PRINT_HEAVY}", cwd=tmp_path
    )
    assert {"google.protobuf", "urllib3"} <= set(json.loads(ended.output))


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
