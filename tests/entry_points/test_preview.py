"""`otel-prw preview` as people call it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run
from tests.servers import packages
from tests.servers.fixtures import obtain

SHOP = """
import sys, time
from opentelemetry import metrics
meter = metrics.get_meter("shop")
orders = meter.create_counter("orders", unit="1", description="Orders that came in.")
duration = meter.create_histogram("order.duration", unit="s", description="How long an order takes.")
for number in range(int(sys.argv[1])):
    orders.add(1, {"table": str(number)})
    duration.record(0.1, {"route": "/orders"})
print("counted", flush=True)
"""
GOES_ON = SHOP + "time.sleep(600)\n"
GROWS = """
import time
from opentelemetry import metrics
orders = metrics.get_meter("shop").create_counter("orders")
provider = metrics.get_meter_provider()
for number in range(3):
    orders.add(1, {"table": str(number)})
    provider.force_flush()
"""
QUIET = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask,system_metrics", "OTEL_SERVICE_NAME": "shop"}


@pytest.fixture
def preview(tmp_path):
    """preview(source, *flags, arguments=, **variables): previews a program."""

    def start(source, *flags, arguments=("2",), **variables):
        (tmp_path / "app.py").write_text(source)
        words = ("otel-prw", "preview", *flags, "--", "python", "app.py", *arguments)
        return run(*words, cwd=tmp_path, **{**QUIET, **variables})

    return start


def document(ended):
    found = json.loads(ended.output)
    return found, {metric["name"]: metric for metric in found["metrics"]}


def test_report_names_each_metric_as_it_will_be_called(preview):
    ended = preview(SHOP)
    assert (ended.status, ended.errors) == (0, ["counted"])
    lines = [line.split() for line in ended.output.splitlines()]
    assert ["order_duration_seconds", "histogram", "seconds", "18", "18"] in [line[:5] for line in lines]
    assert ["orders_total", "counter", "2", "2"] in [line[:4] for line in lines]
    assert "    How long an order takes." in ended.output.splitlines()
    assert "labels with most values: le (16), table (2), " in ended.output


def test_json_is_all_that_stands_on_stdout(preview):
    found, metrics = document(preview(SHOP, "--json", "--interval", "15s"))
    assert found["interval_milliseconds"] == 15_000
    assert (
        metrics["orders_total"].items()
        >= {
            "type": "counter",
            "help": "Orders that came in.",
            "series": 2,
            "samples": 2,
        }.items()
    )
    assert found["total"]["series"] == 21
    assert found["a_day"]["samples"] == 21 * 4 * 60 * 24
    assert found["dropped"] == found["growing"] == found["refused_by_limits"] == []


def test_program_that_goes_on_is_ended_after_the_time_with_its_last_push(preview):
    ended = preview(GOES_ON, "--for", "6s", "--json")
    assert ended.status == 0
    found, metrics = document(ended)
    assert 6 <= found["seconds"] < 16
    assert metrics["orders_total"]["series"] == 2


def test_nothing_reaches_the_real_receiver_nor_its_proxy(preview):
    with Receiver() as real:
        ended = preview(
            SHOP,
            "--json",
            OTEL_EXPORTER_PRW_ENDPOINT=real.url,
            OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE="/no/such/file",
            OTEL_EXPORTER_PRW_PROXY=real.url,
            HTTP_PROXY=real.url,
            OTEL_METRICS_EXPORTER="console",
            OTEL_PYTHON_DISTRO="distro",
        )
        assert (real.received, real.rejected) == ([], [])
    assert ended.errors == ["counted"]
    assert document(ended)[0]["total"]["series"] == 21


def test_metrics_that_grow_from_push_to_push_are_named(preview):
    found, metrics = document(preview(GROWS, "--json"))
    assert found["growing"] == ["orders_total"]
    assert metrics["orders_total"]["series"] == 3


def test_what_is_dropped_is_told_with_the_reason(preview):
    found, _ = document(preview(SHOP, "--json", "--max-series", "10"))
    assert found["total"]["series"] <= 10
    (sentence,) = found["dropped"]
    assert "max_series=10" in sentence
    assert "order.duration" in sentence


def test_metric_that_has_no_form_is_told_with_the_reason(preview):
    found, metrics = document(preview(SHOP + "meter.create_gauge('orders_total').set(1, {'table': '0'})\n", "--json"))
    assert metrics["orders_total"]["type"] == "counter"
    (sentence,) = found["dropped"]
    assert sentence.startswith("Metric 'orders_total': its series orders_total{")


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_both_versions_can_be_previewed(preview, protocol):
    found, metrics = document(preview(SHOP, "--json", "--protocol", protocol))
    assert found["protocols"] == [protocol]
    assert metrics["order_duration_seconds"].items() >= {"type": "histogram", "series": 18}.items()
    assert metrics["orders_total"]["series"] == 2


@pytest.mark.parametrize(
    ("flags", "status", "line"),
    [
        (("--limit-series", "21"), 0, ""),
        (("--limit-series", "20"), 1, "refused by the limit of 20 series: 1 series; there are 21"),
        (("--limit-labels", "3"), 1, "refused by the limit of 3 labels of a series: 2 series of orders_total"),
        (("--limit-label-value-length", "20"), 1, "refused by the limit of 20 characters of a label's value"),
        (("--limits", "cortex"), 0, ""),
        (("--limits", "mimir", "--limit-series", "5"), 1, "refused by the limit of 5 series: 16 series"),
    ],
)
def test_limits_of_a_receiver_are_told(preview, flags, status, line):
    ended = preview(SHOP, *flags)
    assert ended.status == status
    assert line in ended.output
    assert ("refused by the limit" in ended.output) is bool(line)


@pytest.mark.parametrize("aggregation", ["explicit_bucket_histogram", "base2_exponential_bucket_histogram"])
def test_promtool_takes_the_text(preview, aggregation, tmp_path):
    promtool = obtain("promtool", lambda: packages.prometheus_stable().path("usr/bin/promtool"))
    ended = preview(SHOP, "--text", "--default-histogram-aggregation", aggregation)
    assert ended.output.endswith("# EOF\n")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=ended.output, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_without_metrics_the_status_is_1(preview):
    ended = preview(SHOP, OTEL_SDK_DISABLED="true")
    assert ended.status == 1
    first, second = ended.output.splitlines()
    assert first.startswith("0 pushes of 0 processes")
    assert second.startswith("nothing was pushed: ")
    assert sys.executable in second


def test_program_that_fails_is_said(preview):
    ended = preview(SHOP + "sys.exit(3)\n")
    assert (ended.status, ended.errors) == (0, ["counted", "otel-prw preview: the program ended with status 3"])


def test_interrupt_ends_the_program_and_prints_the_report(tmp_path):
    (tmp_path / "app.py").write_text(GOES_ON)
    with subprocess.Popen(
        [Path(sys.executable).parent / "otel-prw", "preview", "--json", "--", sys.executable, "app.py", "2"],
        cwd=tmp_path,
        env=QUIET,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr.readline() == "counted\n"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(output)["total"]["series"] == 21


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("--for", "soon", "--", "true"), 2, "otel-prw preview: --for 'soon' is not a duration"),
        (("--limits", "nobody", "--", "true"), 2, "otel-prw preview: --limits must be one of none, cortex, mimir"),
        (("--limit-series", "0", "--", "true"), 2, "otel-prw preview: --limit-series '0' is not a number from 1"),
        (("--json", "--text", "--", "true"), 2, "otel-prw preview: --text cannot be combined with --json"),
        ((), 2, "otel-prw preview: the program is missing: write it after --, as in -- python app.py"),
        (("--", "no-such-program"), 127, "otel-prw: no-such-program is not found"),
        (("--", "./empty"), 126, "otel-prw: ./empty cannot be executed: Exec format error"),
    ],
)
def test_wrong_call_is_one_sentence(tmp_path, words, status, sentence):
    (tmp_path / "empty").touch(mode=0o755)
    ended = run("otel-prw", "preview", *words, cwd=tmp_path)
    assert (ended.status, ended.output, len(ended.errors)) == (status, "", 1)
    assert ended.errors[0].startswith(sentence)


def test_declarative_file_cannot_be_previewed(preview):
    ended = preview(SHOP, OTEL_CONFIG_FILE="otel.yaml")
    assert (ended.status, ended.errors) == (
        2,
        ["otel-prw preview: OTEL_CONFIG_FILE names the receiver, so nothing can be previewed: unset it"],
    )
