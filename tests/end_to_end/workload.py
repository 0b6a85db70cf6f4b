"""The pods that Kubernetes' controllers make of a workload: the template, and who owns it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.end_to_end import operator_webhook

Manifest = dict[str, Any]

_HASH = "5d9c8b7f6"


def pod(workload: Manifest) -> tuple[Manifest, list[Manifest]]:
    """Return a workload's pod as the Operator sees it, before it has a name, and the owner in between, if any."""
    kind, name = workload["kind"], workload["metadata"]["name"]
    spec = workload["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else workload["spec"]
    made = deepcopy(spec["template"])
    metadata = made.setdefault("metadata", {})
    between = {"Deployment": ("ReplicaSet", f"{name}-{_HASH}"), "CronJob": ("Job", f"{name}-29368080")}.get(kind)
    owner_kind, owner_name = between or (kind, name)
    metadata["ownerReferences"] = [{"kind": owner_kind, "name": owner_name}]
    metadata["generateName"] = f"{owner_name}-"
    owned = [{"kind": kind, "name": name}]
    owners = [{"kind": owner_kind, "metadata": {"name": owner_name, "ownerReferences": owned}}] if between else []
    return made, owners


def injected(workload: Manifest, instrumentation: Manifest, namespace: str) -> Manifest:
    """Return the first container of a workload's pod, as the Operator changes it."""
    made, owners = pod(workload)
    container: Manifest = operator_webhook.inject(made, instrumentation, namespace, owners)["spec"]["containers"][0]
    return container
