"""`otel-prw dashboard` and `otel-prw rules`, with the settings in force."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.application import run
from tests.examples.monitoring import MONITORING

DURATION = {
    "": "http_server_request_duration_seconds_count",
    "NoTranslation": '{"http.server.request.duration_count"',
    "UnderscoreEscapingWithoutSuffixes": "http_server_request_duration_count",
}


def printed(tmp_path, *arguments, **variables):
    ended = run("otel-prw", *arguments, cwd=tmp_path, **variables)
    assert (ended.status, ended.errors) == (0, [])
    return ended.output


@pytest.mark.parametrize("name", ["application", "exporter"])
def test_dashboard_of_the_example_is_printed_by_default(tmp_path, name):
    assert printed(tmp_path, "dashboard", name) == (MONITORING / f"{name}.json").read_text(encoding="utf-8")


def test_dashboard_for_native_histograms_is_printed_where_they_are_sent(tmp_path):
    native = (MONITORING / "application-native.json").read_text(encoding="utf-8")
    for variable, value in (
        ("OTEL_EXPORTER_PRW_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram"),
        ("OTEL_EXPORTER_PRW_CONVERT_HISTOGRAMS_TO_NHCB", "true"),
    ):
        assert printed(tmp_path, "dashboard", **{variable: value}) == native


@pytest.mark.parametrize(("strategy", "name"), DURATION.items())
def test_names_are_those_of_the_strategy(tmp_path, strategy, name):
    setting = {"OTEL_EXPORTER_PRW_TRANSLATION_STRATEGY": strategy}
    model = json.loads(printed(tmp_path, "dashboard", "application", **setting))
    assert any(name in target["expr"] for panel in model["panels"] for target in panel.get("targets", ()))
    assert name in printed(tmp_path, "rules", **setting)


def test_namespace_stands_before_names(tmp_path):
    assert "shop_http_server_request_duration" in printed(tmp_path, "rules", OTEL_EXPORTER_PRW_NAMESPACE="shop")


@pytest.mark.parametrize("words", [("rules",), ("dashboard", "application"), ("dashboard", "exporter")], ids=" ".join)
@pytest.mark.parametrize("strategy", DURATION)
def test_namespace_stands_before_every_metric_that_is_asked_for(tmp_path, words, strategy):
    """Before target_info, too, which says who pushes."""
    variables = {"OTEL_EXPORTER_PRW_NAMESPACE": "shop", "OTEL_EXPORTER_PRW_TRANSLATION_STRATEGY": strategy}
    text = printed(tmp_path, *words, **variables)
    assert "shop_target_info" in text
    assert "target_info" not in text.replace("shop_target_info", "")


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, "180"),
        ({"OTEL_EXPORTER_PRW_INTERVAL": "5000"}, "15"),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "10000"}, "30"),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "often"}, "180"),
        ({"OTEL_EXPORTER_PRW_INTERVAL": "2000", "OTEL_METRIC_EXPORT_INTERVAL": "10000"}, "6"),
    ],
)
def test_rules_know_the_interval(tmp_path, variables, seconds):
    groups = yaml.safe_load(printed(tmp_path, "rules", **variables))["groups"]
    (stopped,) = (rule for group in groups for rule in group["rules"] if rule.get("alert") == "MetricsStopped")
    assert re.search(r"> (\S+)\s*$", stopped["expr"])[1] == seconds


def test_no_alert_waits_for_target_info_that_is_not_sent(tmp_path):
    usual = yaml.safe_load(printed(tmp_path, "rules"))
    without = printed(tmp_path, "rules", OTEL_EXPORTER_PRW_DISABLE_TARGET_INFO="true")
    assert alerts(usual) - alerts(yaml.safe_load(without)) == {"MetricsStopped"}
    assert "# No alert MetricsStopped: it needs target_info" in without


def alerts(rules):
    return {rule.get("alert") for group in rules["groups"] for rule in group["rules"]}
