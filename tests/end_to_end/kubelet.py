"""What kubelet makes of a container: its environment, and the files of its volumes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

Manifest = dict[str, Any]


class Pod(NamedTuple):
    """What the downward API tells of a pod."""

    name: str = "shop-5d9c8b7f6-x7k2p"
    namespace: str = "berlin"
    node: str = "node-1"
    ip: str = "10.0.0.7"
    host_ip: str = "192.0.2.1"

    @property
    def fields(self) -> dict[str, str]:
        return {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "spec.nodeName": self.node,
            "status.podIP": self.ip,
            "status.hostIP": self.host_ip,
        }


def environment(container: Manifest, manifests: list[Manifest], pod: Pod) -> dict[str, str]:
    """The variables of a container's process: those of env win over those of envFrom, and refer to earlier ones."""
    from_whole = {}
    for source in container.get("envFrom", []):
        kind, name = ("ConfigMap", "configMapRef") if "configMapRef" in source else ("Secret", "secretRef")
        from_whole |= _data(manifests, kind, source[name]["name"])
    one_by_one: dict[str, str] = {}
    for variable in container.get("env", []):
        if "valueFrom" in variable:
            one_by_one[variable["name"]] = _value(variable["valueFrom"], manifests, pod)
        else:
            one_by_one[variable["name"]] = _expanded(variable.get("value", ""), one_by_one)
    return from_whole | one_by_one


def mount(pod_spec: Manifest, container: Manifest, manifests: list[Manifest], root: Path) -> dict[str, Path]:
    """Write the files of the volumes that are secrets below a folder; by their path in the container."""
    files = {}
    for mounted in container.get("volumeMounts", []):
        (volume,) = (each for each in pod_spec["volumes"] if each["name"] == mounted["name"])
        data = _data(manifests, "Secret", volume["secret"]["secretName"])
        for item in volume["secret"]["items"]:
            path = f"{mounted['mountPath']}/{item['path']}"
            files[path] = root / path.lstrip("/")
            files[path].parent.mkdir(parents=True, exist_ok=True)
            files[path].write_text(data[item["key"]])
    return files


def _value(source: Manifest, manifests: list[Manifest], pod: Pod) -> str:
    match source:
        case {"fieldRef": {"fieldPath": path}}:
            return pod.fields[path]
        case {"secretKeyRef": {"name": name, "key": key}}:
            return _data(manifests, "Secret", name)[key]
        case {"configMapKeyRef": {"name": name, "key": key}}:
            return _data(manifests, "ConfigMap", name)[key]
        case _:
            raise ValueError(source)


def _data(manifests: list[Manifest], kind: str, name: str) -> dict[str, str]:
    (found,) = (each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name)
    return found.get("stringData") or found["data"]


def _expanded(text: str, known: Mapping[str, str]) -> str:
    """Replace $(NAME) of what is known and leave the rest; $$ is a dollar sign."""
    return re.sub(r"\$\$|\$\(([^)]*)\)", lambda found: "$" if found[0] == "$$" else known.get(found[1], found[0]), text)
