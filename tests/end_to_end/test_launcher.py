"""An unmodified application under the real launcher, by each of the shortest ways to configure it."""

from __future__ import annotations

import os

import pytest
from opentelemetry.sdk import environment_variables

from tests.end_to_end import installations

OUR_NAME = "opentelemetry-exporter-prometheus-remote-write"


def assert_arrived(receiver):
    """What the shop has recorded is there, with the right values, and each push was accepted."""
    assert receiver.rejected == []
    assert receiver.values("orders_total", method="card")[-1] == 3
    assert receiver.values("queue_length")[-1] == 7
    assert receiver.values("latency_seconds_count")[-1] == 2
    assert receiver.values("latency_seconds_sum")[-1] == 5.5
    assert [receiver.values("latency_seconds_bucket", le=le)[-1] for le in ("0.1", "1", "+Inf")] == [0, 1, 2]
    assert receiver.values("target_info", telemetry_sdk_language="python")[-1] == 1


def assert_our_configurator_was_used(receiver):
    assert receiver.values("target_info", telemetry_distro_name=OUR_NAME)[-1] == 1


def test_only_our_package_is_installed_the_endpoint_alone(receiver, plainly):
    ended = plainly(OTEL_EXPORTER_PRW_ENDPOINT=receiver.url)
    assert ended == (0, "without flask\n", [])
    assert_arrived(receiver)
    assert_our_configurator_was_used(receiver)


@pytest.mark.parametrize("place", ["before", "after"])
def test_stock_distro_is_installed_too(receiver, plainly, place, tmp_path):
    stock = installations.stock_distro(tmp_path / "stock")
    ended = plainly(
        **{place: [stock]},
        OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
        OTEL_PYTHON_DISTRO="prometheus_remote_write",
    )
    assert (ended.status, ended.errors) == (0, [])
    assert_arrived(receiver)
    assert_our_configurator_was_used(receiver)


@pytest.mark.parametrize("other_signals", ["none", "console"])
def test_another_distro_is_used(receiver, plainly, other_signals, tmp_path):
    ended = plainly(
        before=[installations.foreign_distro(tmp_path / "acme")],
        OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
        OTEL_METRICS_EXPORTER="prometheus_remote_write",
        OTEL_TRACES_EXPORTER=other_signals,
        OTEL_LOGS_EXPORTER=other_signals,
    )
    assert ended.status == 0
    assert ended.output.startswith("distro acme\nconfigurator acme\nwithout flask\n")
    assert ('"name": "checkout"' in ended.output) == (other_signals == "console")
    assert ended.errors == ["Configuration of prometheus_remote_write not loaded, acme already loaded"]
    assert_arrived(receiver)
    assert not receiver.series("target_info", telemetry_distro_name=OUR_NAME)


def test_flags_of_the_launcher(receiver, plainly):
    ended = plainly("--exporter_prw_endpoint", receiver.url, "--exporter_prw_external_labels", "cluster=eu")
    assert (ended.status, ended.errors) == (0, [])
    assert_arrived(receiver)
    assert receiver.series("orders_total", cluster="eu")


@pytest.mark.parametrize("endpoint_is_set", [True, False], ids=["with an endpoint", "without an endpoint"])
def test_disabled_sdk_sends_nothing_and_says_nothing(receiver, endpoint_is_set, fully):
    ended = fully(OTEL_SDK_DISABLED="true", OTEL_EXPORTER_PRW_ENDPOINT=receiver.url if endpoint_is_set else "")
    assert (ended.status, ended.errors) == (0, [])
    assert "flask is " in ended.output
    assert (receiver.received, receiver.rejected, receiver.connections) == ([], [], 0)


def declared(folder, exporter):
    file = folder / "otel.yaml"
    file.write_text(
        'file_format: "1.0"\n'
        "resource: {attributes: [{name: service.name, value: shop}]}\n"
        f"meter_provider: {{readers: [{{periodic: {{exporter: {{prometheus_remote_write: {exporter}}}}}}}]}}\n"
    )
    return {"OTEL_CONFIG_FILE": str(file)}


READS_FILES = hasattr(environment_variables, "OTEL_CONFIG_FILE")
reads_files = pytest.mark.skipif(not READS_FILES, reason="this SDK reads no declarative files: 1.44 does")


@reads_files
def test_declarative_file_configures_the_exporter(receiver, fully, tmp_path):
    exporter = f"{{endpoint: '{receiver.url}', external_labels: {{cluster: eu}}, disable_scope_labels: true}}"
    ended = fully(**declared(tmp_path, exporter))
    assert (ended.status, ended.errors) == (0, [])
    assert_arrived(receiver)
    assert [series.labels for series in receiver.series("orders_total")] == [
        (("__name__", "orders_total"), ("cluster", "eu"), ("job", "shop"), ("method", "card"))
    ]


@reads_files
def test_what_a_declarative_file_leaves_out_comes_from_the_environment(receiver, fully, tmp_path):
    ended = fully(
        OTEL_EXPORTER_PRW_ENDPOINT=receiver.url,
        OTEL_EXPORTER_PRW_EXTERNAL_LABELS="cluster=eu",
        **declared(tmp_path, "null"),
    )
    assert (ended.status, ended.errors) == (0, [])
    assert_arrived(receiver)
    assert receiver.series("orders_total", cluster="eu", job="shop")


@reads_files
@pytest.mark.parametrize(
    ("exporter", "error"),
    [
        pytest.param(
            "{endpoint: 'http://127.0.0.1:9/write', name_space: shop}",
            "TypeError: unknown argument 'name_space'; did you mean namespace?",
            id="an unknown key",
        ),
        pytest.param(
            "{endpoint: 'http://127.0.0.1:9/write', timeout: '30'}",
            "TypeError: timeout must be a number of seconds, not str",
            id="a value of a wrong type",
        ),
        pytest.param("{endpoint: 'host:9'}", "InvalidSetting: endpoint must begin with http://", id="a wrong value"),
        pytest.param("[endpoint]", "must hold arguments (name: value), not be of the type list", id="a list"),
        pytest.param("{9: 10}", "TypeError: unknown argument '9'", id="a number as a key"),
    ],
)
def test_mistake_in_a_declarative_file_is_told_and_the_application_runs(exporter, error, fully, tmp_path):
    ended = fully(**declared(tmp_path, exporter))
    assert ended.status == 0
    assert "flask is _InstrumentedFlask" in ended.output
    (line,) = ended.errors
    assert error in line


def test_controller_is_flushed_and_ended_with_its_provider(receiver, fully):
    script = """
from opentelemetry import metrics
counter = metrics.get_meter('shop').create_counter('orders')
counter.add(1)
metrics.get_meter_provider().force_flush()
counter.add(1)
metrics.get_meter_provider().shutdown()
"""
    ended = fully(script, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url, OTEL_EXPORTER_PRW_INTERVAL="3600000")
    assert (ended.status, ended.errors) == (0, [])
    assert receiver.values("orders_total") == [0, 1, 2]
    assert len(receiver.received) == 2


def test_controller_pushes_at_its_own_interval(receiver, fully):
    script = """
import threading
from opentelemetry import metrics
seen = threading.Semaphore(0)
def observe(options):
    seen.release()
    yield metrics.Observation(1)
metrics.get_meter('shop').create_observable_gauge('queue', [observe])
for _ in range(3):
    assert seen.acquire(timeout=60)
"""
    ended = fully(script, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url, OTEL_EXPORTER_PRW_INTERVAL="100")
    assert (ended.status, ended.errors) == (0, [])
    assert len(receiver.values("queue")) >= 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_child_pushes_as_an_instance_of_its_own(receiver, fully):
    script = """
import os, warnings
from opentelemetry import metrics
warnings.simplefilter('ignore', DeprecationWarning)  # from 3.12 on, of a fork beside threads
provider = metrics.get_meter_provider()
counter = metrics.get_meter('shop').create_counter('orders')
provider.force_flush()
child = os.fork()
counter.add(1 if child else 2)
provider.force_flush()
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    ended = fully(script, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url)
    assert (ended.status, ended.errors) == (0, [])
    assert sorted(series.samples[-1].value for series in receiver.series("orders_total")) == [1, 2]
