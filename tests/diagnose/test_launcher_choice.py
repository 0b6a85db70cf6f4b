"""Whom the launcher chooses: a table of what is installed and what the environment says."""

from __future__ import annotations

import pytest
from opentelemetry_prometheus_remote_write.exporter_names import chosen_exporters

from opentelemetry.exporter.prometheus_remote_write.diagnose.finding import Level
from opentelemetry.exporter.prometheus_remote_write.diagnose.installed import GROUPS, Plug, installed_plugs
from opentelemetry.exporter.prometheus_remote_write.diagnose.launcher_choice import findings

OURS = "prometheus_remote_write"


def plug(name, module="acme", distribution="acme 1"):
    return Plug(name, f"{module}:Thing", distribution)


STOCK_DISTRO = plug("distro", "opentelemetry.distro", "opentelemetry-distro 0.66b1")
STOCK_CONFIGURATOR = plug("configurator", "opentelemetry.distro", "opentelemetry-distro 0.66b1")
ALONE = {"distros": [plug(OURS)], "configurators": [plug(OURS)]}
FIRST = {"distros": [plug(OURS), STOCK_DISTRO], "configurators": [STOCK_CONFIGURATOR, plug(OURS)]}
SECOND = {"distros": [STOCK_DISTRO, plug(OURS)], "configurators": [STOCK_CONFIGURATOR, plug(OURS)]}


def found(environ, distros, configurators, exporters=(), traces=()):
    plugs = {group: [] for group in GROUPS} | {
        "opentelemetry_distro": distros,
        "opentelemetry_configurator": configurators,
        "opentelemetry_metrics_exporter": [plug(name) for name in (OURS, *exporters)],
        "opentelemetry_traces_exporter": [plug(name) for name in traces],
    }
    has_file = "OTEL_CONFIG_FILE" in environ
    return {finding.topic: finding for finding in findings(plugs, environ, chosen_exporters, has_file=has_file)}


def not_good(all_found):
    return {topic for topic, finding in all_found.items() if finding.level is not Level.OK}


@pytest.mark.parametrize(
    ("installed", "environ", "expected"),
    [
        pytest.param(ALONE, {}, set(), id="nothing else is installed"),
        pytest.param(FIRST, {}, set(), id="ours is first, the configurator is not"),
        pytest.param(SECOND, {}, {"distro-other"}, id="the stock distro is first"),
        pytest.param(SECOND, {"OTEL_PYTHON_DISTRO": OURS}, set(), id="ours is named"),
        pytest.param(
            SECOND,
            {"OTEL_METRICS_EXPORTER": OURS, "OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"},
            set(),
            id="the stock distro with our exporter",
        ),
        pytest.param(
            SECOND, {"OTEL_METRICS_EXPORTER": OURS}, {"exporter-missing"}, id="the stock distro with traces by OTLP"
        ),
        pytest.param(ALONE, {"OTEL_PYTHON_DISTRO": "typo"}, {"distro-unknown"}, id="a distro that is not there"),
        pytest.param(ALONE, {"OTEL_PYTHON_DISTRO": ""}, {"distro-unknown"}, id="an empty name"),
        pytest.param(ALONE, {"OTEL_PYTHON_CONFIGURATOR": "typo"}, {"configurator-unknown"}, id="no such configurator"),
        pytest.param(
            {**ALONE, "configurators": [plug("acme"), plug(OURS)]},
            {"OTEL_PYTHON_CONFIGURATOR": "acme"},
            {"configurator-other"},
            id="somebody else's configurator",
        ),
        pytest.param(ALONE, {"OTEL_SDK_DISABLED": "True"}, {"sdk-disabled"}, id="switched off"),
        pytest.param(
            ALONE,
            {"OTEL_METRICS_EXPORTER": "otlp"},
            {"exporter-other"},
            id="the Operator's default",
        ),
        pytest.param(
            {**ALONE, "exporters": ["otlp_proto_http"]},
            {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            {"exporter-other"},
            id="the Operator's default with OTLP installed",
        ),
        pytest.param(ALONE, {"OTEL_METRICS_EXPORTER": f"{OURS}, none"}, {"exporter-none"}, id="ours and none"),
        pytest.param(ALONE, {"OTEL_METRICS_EXPORTER": f"{OURS},typo"}, {"exporter-missing"}, id="ours and a typo"),
        pytest.param(
            ALONE, {"OTEL_METRICS_EXPORTER": "Prometheus-Remote-Write"}, {"exporter-misspelled"}, id="ours, misspelled"
        ),
        pytest.param(
            SECOND,
            {
                "OTEL_METRICS_EXPORTER": "prometheus-remote-write",
                "OTEL_PYTHON_CONFIGURATOR": "configurator",
                "OTEL_TRACES_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
            },
            {"distro-other", "exporter-other"},
            id="ours, misspelled, for somebody else's configurator",
        ),
        pytest.param(
            ALONE, {"OTEL_METRICS_EXEMPLAR_FILTER": "ALWAYS_ON"}, {"exemplar-filter"}, id="an unknown exemplar filter"
        ),
        pytest.param(ALONE, {"OTEL_TRACES_EXPORTER": "otlp"}, {"exporter-missing"}, id="traces by OTLP, not installed"),
        pytest.param(ALONE, {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": ""}, set(), id="no traces, no logs"),
        pytest.param(
            {**ALONE, "traces": ["otlp_proto_grpc"]}, {"OTEL_TRACES_EXPORTER": "otlp"}, set(), id="traces by OTLP"
        ),
        pytest.param(SECOND, {"OTEL_CONFIG_FILE": "x.yaml"}, set(), id="a declarative file"),
    ],
)
def test_what_is_in_the_way_is_found(installed, environ, expected):
    assert not_good(found(environ, **installed)) == expected


def test_distro_that_needs_otlp_is_told_with_what_comes_of_it():
    text = found({}, **SECOND)["distro-other"].text
    assert "it asks for otlp_proto_grpc, not installed: the launcher then gives up" in text
    both = found({"OTEL_METRICS_EXPORTER": OURS}, **SECOND)["exporter-missing"]
    assert "(set by the distro distro of opentelemetry-distro 0.66b1)" in both.text
    assert found({"OTEL_METRICS_EXPORTER": "otlp"}, **ALONE)["exporter-other"].text.endswith(
        "and otlp_proto_grpc is not installed: the launcher then gives up: no metrics, no traces, no instrumentation"
    )


def test_everything_that_is_not_good_has_a_cure():
    for finding in found({"OTEL_PYTHON_DISTRO": "typo", "OTEL_LOGS_EXPORTER": "typo"}, **SECOND).values():
        assert bool(finding.cure) is (finding.level is not Level.OK)


def test_all_that_was_found_is_listed_in_order_with_the_reason():
    texts = {topic: finding.text for topic, finding in found({"OTEL_PYTHON_DISTRO": OURS}, **SECOND).items()}
    assert texts["distro"] == (
        "prometheus_remote_write of acme 1: OTEL_PYTHON_DISTRO names it "
        "(found, in order: distro of opentelemetry-distro 0.66b1, prometheus_remote_write of acme 1)"
    )
    assert texts["configurator"].startswith(
        "prometheus_remote_write of acme 1: it is named (found, in order: configurator"
    )


def test_installed_plugs_are_those_of_this_environment():
    plugs = installed_plugs()
    assert {each.name for each in plugs["opentelemetry_distro"]} == {"distro", OURS}
    assert any(str(each).startswith(f"{OURS} of opentelemetry-exporter") for each in plugs["opentelemetry_distro"])
