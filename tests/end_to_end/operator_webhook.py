"""What the OpenTelemetry Operator (0.158) makes of a pod that asks for Python's instrumentation.

It is the order of internal/instrumentation/python.go and sdk.go: each step only adds what is not in the container yet.
What the example's manifests do not use is left out: spec.exporter, propagators, sampler, resource attributes of the
Instrumentation, names and attributes from annotations and labels, owners other than a Deployment.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Manifest = dict[str, Any]

FOLDER = "/otel-auto-instrumentation-python"
PATH = (f"{FOLDER}/opentelemetry/instrumentation/auto_instrumentation", FOLDER)
DEFAULTS = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
}


def inject(deployment: Manifest, instrumentation: Manifest, namespace: str) -> Manifest:
    """The first container of a deployment's pods, as the Operator changes it."""
    container = deepcopy(deployment["spec"]["template"]["spec"]["containers"][0])
    environment = container.setdefault("env", [])
    spec = instrumentation["spec"]
    _add(environment, *spec["python"].get("env", []))
    _add_path(environment)
    for name, path in (("OTEL_POD_IP", "status.podIP"), ("OTEL_NODE_IP", "status.hostIP")):
        if not _find(environment, name):
            environment.insert(0, _field(name, path))
    _add(environment, *spec.get("env", []))
    _add(environment, *({"name": name, "value": value} for name, value in DEFAULTS.items()))
    _add(environment, {"name": "OTEL_SERVICE_NAME", "value": deployment["metadata"]["name"]})
    environment += [
        _field("OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "metadata.name"),
        _field("OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", "spec.nodeName"),
    ]
    _add_resource(environment, deployment, container, namespace)
    return container


def _add_path(environment: list[Manifest]) -> None:
    users = _find(environment, "PYTHONPATH")
    if not users:
        environment.append({"name": "PYTHONPATH", "value": ":".join(PATH)})
    else:
        users["value"] = ":".join((PATH[0], users["value"], PATH[1]))


def _add_resource(environment: list[Manifest], deployment: Manifest, container: Manifest, namespace: str) -> None:
    attributes = {
        "k8s.container.name": container["name"],
        "k8s.deployment.name": deployment["metadata"]["name"],
        "k8s.namespace.name": namespace,
        "k8s.node.name": "$(OTEL_RESOURCE_ATTRIBUTES_NODE_NAME)",
        "k8s.pod.name": "$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)",
        "service.instance.id": f"{namespace}.$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME).{container['name']}",
        "service.namespace": namespace,
        "service.version": container["image"].rpartition(":")[2],
    }
    users = _find(environment, "OTEL_RESOURCE_ATTRIBUTES") or {"name": "OTEL_RESOURCE_ATTRIBUTES", "value": ""}
    named = {pair.partition("=")[0].strip() for pair in users["value"].split(",")}
    added = [f"{name}={value}" for name, value in attributes.items() if name not in named]
    users["value"] = ",".join([*filter(None, [users["value"]]), *added])
    environment[:] = [each for each in environment if each is not users] + [users]  # last: it refers to the others


def _find(environment: list[Manifest], name: str) -> Manifest | None:
    return next((each for each in environment if each["name"] == name), None)


def _add(environment: list[Manifest], *variables: Manifest) -> None:
    environment += [deepcopy(each) for each in variables if not _find(environment, each["name"])]


def _field(name: str, path: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
