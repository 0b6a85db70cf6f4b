"""The dashboards and rules are those that are built, ask for what applications send, and alert when they should."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
import yaml
from opentelemetry.instrumentation import system_metrics

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX
from opentelemetry.exporter.prometheus_remote_write.monitoring import printed
from opentelemetry.exporter.prometheus_remote_write.monitoring.names import Names
from tests.application import run as launch
from tests.end_to_end.application import Application
from tests.examples.compose import visit_shop
from tests.examples.monitoring import JOB, MONITORING, dashboard, filled, panels, queries
from tests.memory_cgroup import memory_cgroup
from tests.receivers.between import Between
from tests.servers import packages
from tests.servers.fixtures import CURRENT_FEATURES, obtain
from tests.servers.prometheus import Prometheus

# What it builds with has no release for Python 3.10.
build = pytest.importorskip("examples.monitoring.build.__main__")
CLASSIC = {f"{PREFIX}DEFAULT_HISTOGRAM_AGGREGATION": ""}


@pytest.fixture(scope="module")
def promtool():
    package = obtain("promtool", packages.prometheus_stable)
    return package.path("usr/bin/promtool")


def run(promtool, *arguments):
    done = subprocess.run([promtool, *arguments], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- what is in the files ---


@pytest.mark.parametrize("name", printed.TEMPLATES)
def test_templates_are_those_that_the_foundation_sdk_builds(name):
    held = (build.TEMPLATES / f"{name}.json").read_text(encoding="utf-8")
    assert held == build.template(name), "run make docs"


@pytest.mark.parametrize("name", printed.TEMPLATES)
def test_dashboards_of_the_example_are_those_that_are_printed_by_default(name):
    held = (MONITORING / f"{name}.json").read_text(encoding="utf-8")
    assert held == build.example(name), "run make docs"


def test_rules_of_the_example_are_those_that_are_printed_by_default():
    held = (MONITORING / "rules.yaml").read_text(encoding="utf-8")
    assert held == build.rules(), "run make docs"


@pytest.mark.parametrize("name", printed.TEMPLATES)
def test_each_panel_says_what_it_shows_and_in_which_unit(name):
    for panel in panels(name):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


@pytest.mark.parametrize("name", printed.TEMPLATES)
def test_job_and_instance_can_be_chosen_among_those_that_push(name):
    variables = {each["name"]: each["query"] for each in dashboard(name)["templating"]["list"]}
    assert variables == {
        "datasource": "prometheus",
        "job": "label_values(target_info, job)",
        "instance": 'label_values(target_info{job=~"$job"}, instance)',
    }
    for panel in panels(name):
        assert all('job=~"$job"' in target["expr"] for target in panel["targets"]), panel["title"]


def test_panels_have_numbers_of_their_own():
    for name in printed.TEMPLATES:
        numbers = [panel["id"] for panel in dashboard(name)["panels"]]
        assert numbers == list(range(1, len(numbers) + 1))


# --- what they find ---


@pytest.mark.skipif(
    "process.disk.io" not in system_metrics._DEFAULT_CONFIG, reason="this instrumentation has no process.disk.io"
)
@pytest.mark.parametrize(("name", "changed"), [("application", CLASSIC), ("application-native", {})])
def test_prometheus_answers_every_query_of_the_application_with_data(start_prometheus, tmp_path, name, changed):
    prometheus = start_prometheus()
    visit_shop(prometheus.write_url, tmp_path / "log", pushed_twice_more(prometheus), **changed)
    assert {promql: len(prometheus.query(promql)) > 0 for promql in queries(name)} == dict.fromkeys(queries(name), True)


def pushed_twice_more(prometheus):
    counted = "count_over_time(target_info[1m])"

    def wait():
        found = prometheus.query(counted)
        before = found[0].value if found else 0
        prometheus.wait_for(f"{counted} > {before + 1}")

    return wait


@pytest.mark.parametrize("changed", [CLASSIC, {}], ids=["classic", "native"])
def test_prometheus_answers_every_query_of_the_exporter_with_data(start_prometheus, tmp_path, changed):
    """With an outage, so that something is sent again, and more series than there may be, so that something is lost."""
    prometheus = start_prometheus()
    with Between(prometheus.write_url) as way:
        way.closed = True
        wait = pushed_twice_more(prometheus)

        def enough():
            deadline = time.monotonic() + 60
            while way.closed and way.turned_away < 3:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            way.closed = False
            wait()
            prometheus.wait_for("prometheus_remote_write_exporter_last_success_timestamp_seconds")
            prometheus.wait_for("sum(increase(prometheus_remote_write_exporter_series_dropped_total[1m])) > 0")

        visit_shop(way.url, tmp_path / "log", enough, OTEL_EXPORTER_PRW_MAX_SERIES="60", **changed)
    assert {promql: len(prometheus.query(promql)) > 0 for promql in queries("exporter")} == dict.fromkeys(
        queries("exporter"), True
    )


# --- rules ---


def test_promtool_finds_the_rules_well_formed(promtool):
    assert "SUCCESS: 13 rules found" in run(promtool, "check", "rules", "rules.yaml")


def test_alerts_fire_and_do_not_fire_as_promtool_sees_it(promtool):
    assert "SUCCESS" in run(promtool, "test", "rules", "rules_test.yaml")
    tested = set(re.findall(r"alertname: (\w+)", (MONITORING / "rules_test.yaml").read_text()))
    assert tested == {rule["alert"] for rule in rules() if "alert" in rule}


def rules():
    return [
        rule for group in yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"] for rule in group["rules"]
    ]


def test_each_alert_leads_to_its_section_of_the_docs():
    page = (MONITORING.parents[1] / "docs" / "how-to" / "alerts.md").read_text(encoding="utf-8")
    for rule in rules():
        if "alert" in rule:
            assert rule["annotations"]["runbook_url"].endswith(f"/docs/how-to/alerts.md#{rule['alert'].lower()}")
            assert f"\n## {rule['alert']}\n" in page


def start_with_rules(server_stack, tmp_path, names):
    file = tmp_path / "rules.yaml"
    file.write_text(printed.rules(names))
    configuration = f"global: {{evaluation_interval: 200ms}}\nrule_files: [{file}]\n"
    return obtain(
        "prometheus 3.x",
        lambda: server_stack.enter_context(
            Prometheus(packages.prometheus_current(), features=CURRENT_FEATURES, configuration=configuration)
        ),
    )


def test_an_alert_is_pending_and_then_fires_while_the_receiver_is_away(server_stack, tmp_path):
    prometheus = start_with_rules(server_stack, tmp_path, Names(interval=2.0))  # those that are late by it are in time
    seen = []
    with Between(prometheus.write_url) as way:
        application = Application(way.url, JOB, min_backoff=60_000)
        application.meter.create_counter("hits").add(1)
        began = time.monotonic()
        while time.monotonic() < began + 8:  # no alert comes of pushes that are in time
            assert application.push()
            assert prometheus.alerts() == []
            time.sleep(0.5)
    deadline = time.monotonic() + 60
    while "firing" not in seen:
        assert time.monotonic() < deadline, seen
        assert not application.push(timeout=1)  # nobody is there any more
        seen += [alert["state"] for alert in prometheus.alerts() if alert["labels"]["alertname"] == "MetricsStopped"]
        time.sleep(0.1)
    application.close()
    assert list(dict.fromkeys(seen)) == ["pending", "firing"]


def test_a_job_that_is_killed_for_want_of_memory_raises_an_alert_by_its_series_alone(server_stack, tmp_path):
    """Nothing but `otel-prw job` is there to tell; where nobody may limit memory, SIGKILL stands for the kernel's."""
    prometheus = start_with_rules(server_stack, tmp_path, Names())
    words = ("otel-prw", "job", "--name", "nightly-import", "--", "sh", "-c")
    endpoint = {"OTEL_EXPORTER_PRW_ENDPOINT": prometheus.write_url}

    def firing():
        return {alert["labels"]["job"] for alert in prometheus.alerts() if alert["labels"]["alertname"] == "JobFailed"}

    assert launch(*words, "true", cwd=tmp_path, **endpoint).status == 0
    prometheus.wait_for("job_last_exit_code == 0")
    assert firing() == set()
    with memory_cgroup(limit=100 << 20) as group:
        killed = group.command(f"{sys.executable} -I -S -c 'b\"x\" * (1 << 30)'") if group else "kill -9 $$"
        assert launch(*words, killed, cwd=tmp_path, **endpoint).status == 137
        assert group is None or group.kills == 1
    prometheus.wait_for('ALERTS{alertname="JobFailed", alertstate="firing"}')
    assert firing() == {"nightly-import"}
    assert launch(*words, "true", cwd=tmp_path, **endpoint).status == 0
    deadline = time.monotonic() + 60
    while firing():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(("kind", "changed"), [("classic", CLASSIC), ("native", {})])
def test_prometheus_records_rates_errors_and_quantiles(server_stack, tmp_path, kind, changed):
    prometheus = start_with_rules(server_stack, tmp_path, Names())
    visit_shop(prometheus.write_url, tmp_path / "log", pushed_twice_more(prometheus), **changed)
    for rule in rules():
        if "record" in rule:
            assert prometheus.wait_for(f'{rule["record"]}{{job="{JOB}"}}'), kind


def test_grafanas_variables_are_all_filled_in():
    for name in printed.TEMPLATES:
        assert "$" not in "".join(map(filled, queries(name)))
