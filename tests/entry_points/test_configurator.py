"""What the configurator builds out of the environment."""

from __future__ import annotations

import json
import threading

import pytest
from opentelemetry.sdk import environment_variables as sdk
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry_prometheus_remote_write.configurator import PrometheusRemoteWriteConfigurator

from opentelemetry.exporter.prometheus_remote_write.configuration.number_types import MILLISECONDS
from opentelemetry.exporter.prometheus_remote_write.version import __version__
from tests.application import run

OURS = "PrometheusRemoteWriteMetricsExporter"
CONFIGURE = """
import json, os
from opentelemetry import metrics, trace
from opentelemetry_prometheus_remote_write.configurator import PrometheusRemoteWriteConfigurator
try:
    PrometheusRemoteWriteConfigurator().configure(auto_instrumentation_version="7")
except RuntimeError as error:
    print(json.dumps({"raised": str(error), "chosen": os.environ.get("OTEL_METRICS_EXPORTER")}))
    raise SystemExit
provider = metrics.get_meter_provider()
resource = getattr(trace.get_tracer_provider(), "resource", None)
readers = getattr(provider, "_metric_readers", None)
if readers is None:  # opentelemetry-sdk 1.42 and before
    readers = provider._sdk_config.metric_readers
print(json.dumps({
    "intervals": {type(reader._exporter).__name__: reader._export_interval_millis for reader in readers},
    "readers": len(readers),
    "resource": dict(resource.attributes) if resource else {},
    "chosen": os.environ.get("OTEL_METRICS_EXPORTER"),
}), flush=True)
os._exit(0)  # a console exporter would print its metrics, too
"""


def built(tmp_path, *, before="", **variables):
    variables = {
        "OTEL_METRICS_EXPORTER": "prometheus_remote_write",
        "OTEL_EXPORTER_PRW_ENDPOINT": "http://127.0.0.1:9/write",
        **variables,
    }
    ended = run("python", "-c", before + CONFIGURE, cwd=tmp_path, **variables)
    return json.loads(ended.output), ended.errors


@pytest.mark.parametrize(
    ("variables", "interval"),
    [
        pytest.param({}, 60_000, id="a minute by default"),
        pytest.param({"OTEL_METRIC_EXPORT_INTERVAL": "7000"}, 7000, id="that of all controllers"),
        pytest.param({"OTEL_METRIC_EXPORT_INTERVAL": ""}, 60_000, id="an empty variable is unset"),
        pytest.param(
            {"OTEL_METRIC_EXPORT_INTERVAL": "7000", "OTEL_EXPORTER_PRW_INTERVAL": "1234"}, 1234, id="our own before it"
        ),
        pytest.param(
            {"OTEL_METRIC_EXPORT_INTERVAL": "0", "OTEL_EXPORTER_PRW_INTERVAL": "1234"},
            1234,
            id="our own, whatever the other holds",
        ),
    ],
)
def test_controller_has_the_interval(variables, interval, tmp_path):
    state, errors = built(tmp_path, **variables)
    assert (state["intervals"], errors) == ({OURS: interval}, [])


@pytest.mark.parametrize("text", ["0", "-5", "garbage", "nan", "inf", "1e300"])
def test_interval_of_all_controllers_that_cannot_be_used_is_told_and_costs_nothing(text, tmp_path):
    state, errors = built(tmp_path, OTEL_METRIC_EXPORT_INTERVAL=text)
    assert state["intervals"] == {OURS: 60_000}
    assert errors == [
        f"OTEL_METRIC_EXPORT_INTERVAL={text!r} must be a positive number of milliseconds; the default is used (60000)"
    ]


def test_longest_own_interval_can_be_waited_for():
    assert MILLISECONDS.parse("2147483647") / 1000 <= threading.TIMEOUT_MAX
    with pytest.raises(ValueError):
        MILLISECONDS.parse("2147483648")


def test_other_exporters_keep_their_interval(tmp_path):
    state, errors = built(
        tmp_path,
        OTEL_METRICS_EXPORTER="console, prometheus_remote_write",
        OTEL_METRIC_EXPORT_INTERVAL="7000",
        OTEL_EXPORTER_PRW_INTERVAL="1234",
    )
    assert (state["intervals"], errors) == ({"ConsoleMetricExporter": 7000, OURS: 1234}, [])


@pytest.mark.parametrize(
    ("names", "readers"),
    [
        pytest.param("prometheus_remote_write,prometheus_remote_write", {OURS}, id="ours twice"),
        pytest.param("prometheus_remote_write,", {OURS}, id="a comma at the end"),
        pytest.param("prometheus_remote_write,none", {OURS}, id="ours and none"),
        pytest.param("console", {"ConsoleMetricExporter"}, id="another one"),
        pytest.param("none", set(), id="none"),
        pytest.param("", set(), id="an empty list"),
    ],
)
def test_exporters_that_are_asked_for_are_built_once_each(names, readers, tmp_path):
    state, errors = built(tmp_path, OTEL_METRICS_EXPORTER=names)
    assert (state["intervals"].keys(), state["readers"], errors) == (readers, len(readers), [])


@pytest.mark.parametrize("names", ["prometheus_remote_write", "console,prometheus_remote_write", "none", ""])
def test_variable_is_left_as_it_was(names, tmp_path):
    state, _ = built(tmp_path, OTEL_METRICS_EXPORTER=names)
    assert state["chosen"] == names


@pytest.mark.parametrize(
    "name",
    [
        "prometheusremotewrite",
        "prometheus-remote-write",
        "Prometheus_Remote_Write",
        "PROMETHEUSREMOTEWRITE",
        '"prometheus_remote_write"',
        "prometheus_remote_wirte",
        "remote_write",
        "prw",
        "PRW",
    ],
)
def test_name_that_can_mean_nothing_but_ours_is_taken_for_it(name, tmp_path):
    state, errors = built(tmp_path, OTEL_METRICS_EXPORTER=f"console,{name}")
    assert state["intervals"].keys() == {"ConsoleMetricExporter", OURS}
    assert state["chosen"] == f"console,{name}"
    quoted = name.startswith('"')  # the name itself is right
    assert [line.partition(" is read as ")[2] for line in errors if not quoted] == (
        [] if quoted else ["prometheus_remote_write, the name of this exporter"]
    )


def test_list_in_quotes_is_read_without_them(tmp_path):
    state, errors = built(tmp_path, OTEL_METRICS_EXPORTER="'console,prometheus_remote_write'")
    assert (state["intervals"].keys(), errors) == ({"ConsoleMetricExporter", OURS}, [])


@pytest.mark.parametrize(
    ("interval", "doubt"),
    [("5", "did you mean seconds? Then set 5000"), ("300000", "PromQL looks back 5 minutes")],
)
def test_interval_of_all_controllers_that_is_hardly_meant_is_told(interval, doubt, tmp_path):
    state, (error,) = built(tmp_path, OTEL_METRIC_EXPORT_INTERVAL=interval)
    assert state["intervals"] == {OURS: int(interval)}
    assert error.startswith(f"OTEL_METRIC_EXPORT_INTERVAL={interval} is ")
    assert doubt in error


@pytest.mark.parametrize(
    ("timeout", "lines"),
    [
        ("30", ["OTEL_METRIC_EXPORT_TIMEOUT=30 is in milliseconds; did you mean seconds? Then set 30000"]),
        ("30000", []),
    ],
)
def test_timeout_of_all_controllers_that_is_hardly_meant_is_told(timeout, lines, tmp_path):
    _, errors = built(tmp_path, OTEL_METRIC_EXPORT_TIMEOUT=timeout)
    assert [line for line in errors if "seconds" in line] == lines


def test_unknown_exporter_is_the_sdks_to_refuse(tmp_path):
    state, _ = built(tmp_path, OTEL_METRICS_EXPORTER="prometheus_remote_write,acme")
    assert state["raised"].startswith("Requested component 'acme' not found")
    assert state["chosen"] == "prometheus_remote_write,acme"


def test_nothing_is_built_where_the_sdk_is_disabled(tmp_path):
    state, errors = built(tmp_path, OTEL_SDK_DISABLED="true", OTEL_EXPORTER_PRW_ENDPOINT="")
    assert (state["readers"], errors) == (0, [])


def test_resource_says_who_configured_it(tmp_path):
    state, _ = built(tmp_path, OTEL_RESOURCE_ATTRIBUTES="service.name=shop")
    ours = {name: text for name, text in state["resource"].items() if not name.startswith("telemetry.sdk.")}
    ours.pop("service.instance.id", None)  # opentelemetry-sdk 1.42 and before makes none
    assert ours == {
        "service.name": "shop",
        "telemetry.auto.version": "7",
        "telemetry.distro.name": "opentelemetry-exporter-prometheus-remote-write",
        "telemetry.distro.version": __version__,
    }


def test_libraries_that_cannot_be_imported_cost_our_metrics_alone_and_are_told_at_the_first_export(tmp_path):
    older = tmp_path / "older"
    (older / "urllib3").mkdir(parents=True)
    (older / "urllib3" / "__init__.py").write_text("__version__ = '1.26.0'\n")
    flush = CONFIGURE.replace("os._exit(0)", "provider.force_flush(); provider.force_flush(); os._exit(0)")
    ours = {
        "OTEL_METRICS_EXPORTER": "prometheus_remote_write",
        "OTEL_EXPORTER_PRW_ENDPOINT": "http://127.0.0.1:9/write",
    }
    ended = run("python", "-c", flush, cwd=tmp_path, PYTHONPATH=str(older), **ours)
    assert json.loads(ended.output)["readers"] == 1
    (error,) = ended.errors
    assert error.startswith("Metrics are not sent by Remote Write: a needed module cannot be imported: ImportError: ")


def test_configurator_shares_no_instance_with_another():
    assert PrometheusRemoteWriteConfigurator.__bases__ == (_OTelSDKConfigurator,)


# SDKs that lack a name of today's.


@pytest.mark.parametrize(
    ("module", "name", "line"),
    [("_configuration", "_OTelSDKConfigurator", "only metrics"), ("environment_variables", "OTEL_CONFIG_FILE", None)],
)
def test_sdk_that_lacks_a_name_costs_what_rests_on_it_and_one_line_at_most(tmp_path, module, name, line):
    lacking = "import opentelemetry.sdk._configuration, sys\n"  # with all that it imports itself
    lacking += f"vars(sys.modules['opentelemetry.sdk.{module}']).pop({name!r}, None)\n"
    state, errors = built(tmp_path, before=lacking, OTEL_TRACES_EXPORTER="none")
    assert state["intervals"] == {OURS: 60_000}
    assert len(errors) == (line is not None)
    assert (line or "") in "".join(errors)


@pytest.mark.skipif(hasattr(sdk, "OTEL_CONFIG_FILE"), reason="this SDK reads declarative files")
def test_declarative_file_that_the_sdk_cannot_read_is_told_and_the_other_variables_hold(tmp_path):
    state, (line,) = built(tmp_path, OTEL_CONFIG_FILE="otel.yaml")
    assert state["intervals"] == {OURS: 60_000}
    assert line == "OTEL_CONFIG_FILE is ignored: it needs opentelemetry-sdk 1.44 or later; the other variables apply"


IN_A_SUB_INTERPRETER = """
import threading
make = threading.Thread.__init__
def without_daemons(self, *arguments, daemon=None, **keywords):
    if daemon:
        raise RuntimeError("daemon threads are disabled in this (sub)interpreter")
    make(self, *arguments, daemon=daemon, **keywords)
threading.Thread.__init__ = without_daemons
"""


def test_where_there_are_no_daemon_threads_the_other_signals_live(tmp_path):
    ended = run(
        "python",
        "-c",
        IN_A_SUB_INTERPRETER + CONFIGURE,
        cwd=tmp_path,
        OTEL_METRICS_EXPORTER="prometheus_remote_write",
        OTEL_EXPORTER_PRW_ENDPOINT="http://127.0.0.1:9/write",
    )
    assert json.loads(ended.output)["readers"] == 0
    (line,) = ended.errors
    assert line.startswith("Metrics are not collected in this sub-interpreter")
