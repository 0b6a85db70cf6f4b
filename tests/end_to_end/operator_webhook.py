"""What the OpenTelemetry Operator (0.158) makes of a pod that asks for Python's instrumentation.

It is the order of internal/instrumentation/python.go and sdk.go: each step only adds what is not in the container
yet. What is left out: which Instrumentation an annotation names (the caller hands it over), annotations of the
namespace, the instrumentations of other languages beside Python's, several containers of which some are init
containers, spec.exporter, propagators and sampler, addK8sUIDAttributes, volumeClaimTemplate, and what the Operator's
own webhook for Instrumentations fills in (an image, and resources of the init container).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

Manifest = dict[str, Any]

NAME = "opentelemetry-auto-instrumentation-python"  # of the volume and of the init container
FOLDER = "/otel-auto-instrumentation-python"
PATH = (f"{FOLDER}/opentelemetry/instrumentation/auto_instrumentation", FOLDER)
SOURCES = {"": "/autoinstrumentation/.", "glibc": "/autoinstrumentation/.", "musl": "/autoinstrumentation-musl/."}
DEFAULTS = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
}
OWNERS = {
    kind: f"k8s.{kind}.name" for kind in ("deployment", "replicaset", "statefulset", "daemonset", "cronjob", "job")
}
"""The attribute that names an owner, by its kind, in the order in which one is the service's name."""

_ATTRIBUTE = "resource.opentelemetry.io/"  # an annotation that is a resource attribute begins with it
_LABELS = {
    "service.name": ("app.kubernetes.io/instance", "app.kubernetes.io/name"),
    "service.version": ("app.kubernetes.io/version",),
}
_ANNOTATION = "instrumentation.opentelemetry.io/"
_CONTAINERS = (f"{_ANNOTATION}container-names", f"{_ANNOTATION}python-container-names")
_POD_NAME, _NODE_NAME = "OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME"


def inject(pod: Manifest, instrumentation: Manifest, namespace: str, owners: Iterable[Manifest] = ()) -> Manifest:
    """A pod as the Operator changes it.

    Args:
        pod: As its workload's controller makes it; it is left as it is.
        instrumentation: What its annotation names.
        namespace: The pod's.
        owners: The ReplicaSets and Jobs of the namespace, which the Operator asks for their own owners.
    """
    pod = deepcopy(pod)
    if _is_injected(pod):
        return pod
    spec, platform = instrumentation["spec"], _annotations(pod).get(f"{_ANNOTATION}otel-python-platform", "")
    containers = _chosen(pod)
    for container in containers:
        path = _find(container.get("env", []), "PYTHONPATH")
        if platform not in SOURCES or (path and "valueFrom" in path):
            continue  # a line in the Operator's log
        environment = container.setdefault("env", [])
        _add(environment, *spec["python"].get("env", []))
        _add_path(environment)
        container.setdefault("volumeMounts", []).append({"name": NAME, "mountPath": FOLDER})
        for name, field in (("OTEL_POD_IP", "status.podIP"), ("OTEL_NODE_IP", "status.hostIP")):
            if not _find(environment, name):
                environment.insert(0, _field(name, field))
        _add(environment, *spec.get("env", []))
        _add(environment, *({"name": name, "value": value} for name, value in DEFAULTS.items()))
        _add_resource(container, pod, spec, namespace, owners)
    if containers:  # also where all of them were skipped
        _add_folder(pod, containers[0], spec, SOURCES.get(platform, ""))
    return pod


def _is_injected(pod: Manifest) -> bool:
    has_init_container = any(each["name"] == NAME for each in pod["spec"].get("initContainers", []))
    return has_init_container or any(_find(each.get("env", []), _NODE_NAME) for each in pod["spec"]["containers"])


def _chosen(pod: Manifest) -> list[Manifest]:
    """The containers that the annotations name, or else the first; names that there are not are passed over."""
    names = [name for each in _CONTAINERS for name in _annotations(pod).get(each, "").split(",") if name]
    containers: list[Manifest] = pod["spec"]["containers"]
    if not names:
        return containers[:1]
    return [each for name in names for each in containers if each["name"] == name]


def _add_path(environment: list[Manifest]) -> None:
    users = _find(environment, "PYTHONPATH")
    if not users:
        environment.append({"name": "PYTHONPATH", "value": ":".join(PATH)})
    else:
        users["value"] = ":".join((PATH[0], users.get("value", ""), PATH[1]))


def _add_folder(pod: Manifest, first: Manifest, spec: Manifest, source: str) -> None:
    """The volume, and the init container that copies the image's folder into it."""
    limit = spec["python"].get("volumeLimitSize", "200Mi")
    pod["spec"].setdefault("volumes", []).append({"name": NAME, "emptyDir": {"sizeLimit": limit}})
    copying: Manifest = {
        "name": NAME,
        "image": spec["python"].get("image", ""),
        "command": ["cp", "-r", source, FOLDER],
        "resources": spec["python"].get("resourceRequirements", {}),
        "volumeMounts": [{"name": NAME, "mountPath": FOLDER}],
    }
    context = spec.get("initContainerSecurityContext") or first.get("securityContext")
    if context:
        copying["securityContext"] = context
    pod["spec"].setdefault("initContainers", []).append(copying)


def _add_resource(
    container: Manifest, pod: Manifest, spec: Manifest, namespace: str, owners: Iterable[Manifest]
) -> None:
    """The service's name, and all that is known of it as OTEL_RESOURCE_ATTRIBUTES, which come last."""
    environment: list[Manifest] = container["env"]
    has_labels = spec.get("defaults", {}).get("useLabelsForResourceAttributes", False)
    users = _find(environment, "OTEL_RESOURCE_ATTRIBUTES")
    said = users.get("value", "") if users else ""
    named, known = _named(said), _attributes(container, pod, spec, namespace, owners)
    attributes = {key: value for key, value in known.items() if key not in named}
    name = _told("service.name", pod, has_labels=has_labels)
    owner = next((attributes[key] for key in OWNERS.values() if attributes.get(key)), "")
    name = name or owner or attributes.get("k8s.pod.name", "") or container["name"]
    _add(environment, {"name": "OTEL_SERVICE_NAME", "value": name})
    environment.append(_field(_POD_NAME, "metadata.name"))
    attributes["k8s.pod.name"] = f"$({_POD_NAME})"  # also where the container has said another
    if "service.version" not in said:
        version = _told("service.version", pod, has_labels=has_labels) or _version(container.get("image", ""))
        attributes |= {"service.version": version} if version else {}
    if not attributes.get("k8s.node.name"):
        environment.append(_field(_NODE_NAME, "spec.nodeName"))
        attributes["k8s.node.name"] = f"$({_NODE_NAME})"  # likewise
    text = ",".join(f"{key}={value}" for key, value in sorted(attributes.items()))
    if not users:
        environment.append({"name": "OTEL_RESOURCE_ATTRIBUTES", "value": text})
    else:
        users["value"] = said + text if said.endswith(",") else f"{said},{text}"
        environment[:] = [each for each in environment if each is not users] + [users]  # it refers to the others


def _attributes(
    container: Manifest, pod: Manifest, spec: Manifest, namespace: str, owners: Iterable[Manifest]
) -> dict[str, str]:
    """All resource attributes that are known: what is later here wins over what is before."""
    metadata = pod["metadata"]
    kubernetes = {
        "k8s.namespace.name": namespace,
        "k8s.container.name": container["name"],
        "k8s.pod.name": metadata.get("name", ""),
        "k8s.node.name": pod["spec"].get("nodeName", ""),
        "service.instance.id": _told("service.instance.id", pod, has_labels=False)
        or f"{namespace}.$({_POD_NAME}).{container['name']}",
        **_owned(metadata, owners),
    }
    annotated = {
        key.removeprefix(_ATTRIBUTE): value for key, value in _annotations(pod).items() if key.startswith(_ATTRIBUTE)
    }
    annotated.pop("service.name", None)
    return {
        **spec.get("resource", {}).get("resourceAttributes", {}),
        **{key: value for key, value in kubernetes.items() if value},
        **annotated,
        "service.namespace": _told("service.namespace", pod, has_labels=False) or namespace,
    }


def _owned(metadata: Manifest, owners: Iterable[Manifest]) -> dict[str, str]:
    """The names of who owns a pod, and of who owns its ReplicaSet or Job."""
    found = {}
    for owner in metadata.get("ownerReferences", []):
        kind = owner["kind"].lower()
        if kind in OWNERS:
            found[OWNERS[kind]] = owner["name"]
        if kind in ("replicaset", "job"):
            for each in owners:
                if each["kind"].lower() == kind and each["metadata"]["name"] == owner["name"]:
                    found |= _owned(each["metadata"], owners)
    return found


def _named(text: str) -> set[str]:
    """The attributes that the container has, as the Operator reads them: one with two equals signs it does not see."""
    pairs = (pair.strip().split("=") for pair in text.split(","))
    return {pair[0] for pair in pairs if len(pair) == 2}


def _told(attribute: str, pod: Manifest, *, has_labels: bool) -> str:
    """What an annotation of the pod says, or else a label."""
    labels = pod["metadata"].get("labels", {}) if has_labels else {}
    by_label = next((labels[name] for name in _LABELS.get(attribute, ()) if labels.get(name)), "")
    return _annotations(pod).get(_ATTRIBUTE + attribute) or by_label


def _version(image: str) -> str:
    """The tag of an image, with its digest if it has one."""
    name, _, digest = image.partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    return "@".join(filter(None, (tag, digest)))


def _annotations(pod: Manifest) -> Mapping[str, str]:
    return pod["metadata"].get("annotations") or {}


def _find(environment: list[Manifest], name: str) -> Manifest | None:
    return next((each for each in environment if each["name"] == name), None)


def _add(environment: list[Manifest], *variables: Manifest) -> None:
    environment += [deepcopy(each) for each in variables if not _find(environment, each["name"])]


def _field(name: str, path: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
