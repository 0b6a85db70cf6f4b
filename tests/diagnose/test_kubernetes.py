"""The mistakes of an injected pod, as they look from inside: the environment is that of the Operator's model."""

from __future__ import annotations

import pytest
import yaml

from opentelemetry.exporter.prometheus_remote_write.diagnose.finding import Level
from opentelemetry.exporter.prometheus_remote_write.diagnose.kubernetes import FOLDER, findings
from tests.end_to_end import workload
from tests.end_to_end.conftest import OPERATOR
from tests.end_to_end.kubelet import Pod, environment

LAUNCHER = f"{FOLDER}/opentelemetry/instrumentation/auto_instrumentation"


def injected(**env):
    """The environment of the example's container, with some variables in its own env."""
    secret, instrumentation = yaml.safe_load_all((OPERATOR / "instrumentation.yaml").read_text())
    (deployment,) = yaml.safe_load_all((OPERATOR / "deployment.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": name, "value": text} for name, text in env.items()]
    container = workload.injected(deployment, instrumentation, "berlin")
    return environment(container, [secret], Pod())


def found(environ, *, is_mounted=True):
    return {finding.topic: finding for finding in findings(environ, is_mounted=is_mounted)}


def test_injected_container_is_recognised_and_told_that_its_path_may_have_been_replaced():
    (finding,) = found(injected()).values()
    assert (finding.topic, finding.level) == ("operator", Level.OK)
    assert "from the image's ENV or from envFrom is replaced" in finding.text
    assert "repeat it in env of the container" in finding.text


def test_path_of_the_application_is_named():
    assert found(injected(PYTHONPATH="/app"))["operator"].text.endswith("the application's own /app")


def test_path_that_was_replaced_after_the_injection():
    """By an entry point that sets PYTHONPATH, say."""
    finding = found({**injected(), "PYTHONPATH": "/app"})["pythonpath-replaced"]
    assert finding.level is Level.FAILURE
    assert LAUNCHER in finding.text
    assert "PYTHONPATH=/app:$PYTHONPATH" in finding.cure


def test_name_in_the_resource_attributes_loses():
    finding = found(injected(OTEL_RESOURCE_ATTRIBUTES="team=a, service.name=till"))["service-name"]
    assert finding.level is Level.WARNING
    assert "service.name=till in OTEL_RESOURCE_ATTRIBUTES loses to OTEL_SERVICE_NAME=shop" in finding.text
    assert "set OTEL_SERVICE_NAME=till in the container's env" in finding.cure


def test_name_that_is_the_same_in_both_is_nothing_to_speak_of():
    assert set(found(injected(OTEL_RESOURCE_ATTRIBUTES="service.name=shop"))) == {"operator"}


@pytest.mark.parametrize(
    ("own", "text", "cure"),
    [
        pytest.param(
            "service.instance.id=a=b",
            f"service.instance.id=a=b in OTEL_RESOURCE_ATTRIBUTES loses to berlin.{Pod().name}.app, which the Operator "
            "has added: it overlooks a value with an equals sign",
            "write service.instance.id=a%3Db in the container's env",
            id="an equals sign in a value",
        ),
        pytest.param(
            "service.namespace =till",
            "service.namespace=till in OTEL_RESOURCE_ATTRIBUTES loses to berlin, which the Operator has added: it "
            "overlooks a name with a blank after it",
            "without a blank before the equals sign",
            id="a blank before the equals sign",
        ),
        pytest.param(
            "k8s.pod.name=mine",
            f"k8s.pod.name=mine in OTEL_RESOURCE_ATTRIBUTES loses to {Pod().name}, which the Operator has added: it "
            "always adds the pod's own",
            "use another name for it",
            id="the pod's name",
        ),
    ],
)
def test_attribute_of_the_container_that_loses_to_the_operator_s(own, text, cure):
    finding = found(injected(OTEL_RESOURCE_ATTRIBUTES=own))["attribute-overruled"]
    assert (finding.level, finding.text) == (Level.WARNING, text)
    assert cure in finding.cure


@pytest.mark.parametrize("own", ["team=a, service.instance.id=mine", "service.instance.id=a%3Db", "team=a,", "team="])
def test_attributes_that_the_operator_reads_as_they_are_meant_are_nothing_to_speak_of(own):
    assert set(found(injected(OTEL_RESOURCE_ATTRIBUTES=own))) == {"operator"}


def test_identity_that_is_empty_is_one_that_the_operator_does_not_add():
    finding = found(injected(OTEL_RESOURCE_ATTRIBUTES="service.instance.id="))["attribute-empty"]
    assert (finding.level, "service.instance.id" in finding.text) == (Level.WARNING, True)


def test_attribute_with_a_comma_in_its_value():
    finding = found(injected(OTEL_RESOURCE_ATTRIBUTES="teams=a,b"))["attribute-unreadable"]
    assert finding.level is Level.WARNING
    assert finding.text == "'b' in OTEL_RESOURCE_ATTRIBUTES is not of the form name=value and is ignored"
    assert "%2C" in finding.cure


@pytest.mark.parametrize("name", ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"])
def test_variable_that_kubernetes_did_not_expand(name):
    finding = found(injected(**{name: "app=$(APP)"}))["unexpanded"]
    assert finding.level is Level.WARNING
    assert f"{name} still holds $(APP)" in finding.text
    assert f"define APP in env before {name}" in finding.cure


def test_container_that_was_not_injected_is_told_why_that_may_be():
    finding = found({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "PYTHONPATH": "/app"}, is_mounted=False)["operator"]
    assert finding.level is Level.OK
    for cause in ("PYTHONPATH comes by valueFrom", "container-names", "otel-python-platform", "inject-python"):
        assert cause in finding.text


def test_outside_kubernetes_there_is_nothing_to_say():
    assert found({"PYTHONPATH": "/app"}, is_mounted=False) == {}
