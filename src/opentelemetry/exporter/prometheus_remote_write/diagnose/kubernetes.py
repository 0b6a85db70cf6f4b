"""A container that the OpenTelemetry Operator has injected into: common problems, seen from inside.

The rules are the Operator 0.158's (internal/instrumentation/python.go, sdk.go); ``examples/kubernetes/README.md``
explains them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from .finding import Finding, failure, ok, warning

FOLDER = "/otel-auto-instrumentation-python"
"""Where the Operator mounts what it injects."""

_LAUNCHER = "opentelemetry/instrumentation/auto_instrumentation"
_MARKS = ("OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME")
_ALWAYS_THE_POD_S = ("k8s.pod.name", "k8s.node.name")
_IDENTITY = ("service.instance.id", "service.namespace")
_UNEXPANDED = re.compile(r"\$\([A-Za-z_][A-Za-z0-9_]*\)")
_IN_ENV = "the container's env (not envFrom, and not the image's ENV)"


def findings(environ: Mapping[str, str], *, is_mounted: bool) -> Iterator[Finding]:
    """Yield findings: whether the Operator has injected here, and which of its rules cause trouble.

    Args:
        environ: The environment of the container.
        is_mounted: Whether the Operator's folder is mounted.
    """
    path = environ.get("PYTHONPATH", "").split(":")
    in_path = [entry for entry in path if entry.rstrip("/").startswith(FOLDER)]
    is_injected = is_mounted or bool(in_path)
    if is_injected:
        yield from _path(path, in_path)
    elif "KUBERNETES_SERVICE_HOST" in environ and not any(mark in environ for mark in _MARKS):
        yield ok("operator", f"it has not injected here; if it should have: {_why_not(environ)}")
    if is_injected or any(mark in environ for mark in _MARKS):
        yield from _names(environ)
        yield from _attributes(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    for name in ("OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"):
        if unexpanded := _UNEXPANDED.search(environ.get(name, "")):
            yield warning(
                "unexpanded",
                f"{name} still holds {unexpanded[0]}: Kubernetes expands only what stands before it in env",
                f"define {unexpanded[0][2:-1]} in env before {name}; from envFrom it is never expanded",
            )


def _path(path: list[str], in_path: list[str]) -> Iterator[Finding]:
    if not any(entry.rstrip("/").endswith(_LAUNCHER) for entry in in_path):
        yield failure(
            "pythonpath-replaced",
            f"the Operator has injected here, but PYTHONPATH lacks {FOLDER}/{_LAUNCHER}: it was replaced by the "
            "image's entry point or the container's command, so nothing is instrumented",
            f"have that script keep it (PYTHONPATH=/app:$PYTHONPATH), or set PYTHONPATH in {_IN_ENV}",
        )
    elif own := [entry for entry in path if entry and entry not in in_path]:
        yield ok("operator", f"it has injected here; PYTHONPATH keeps the application's own {', '.join(own)}")
    else:
        yield ok(
            "operator",
            "it has injected here; PYTHONPATH holds nothing of the application's own: one from the image's ENV or from "
            "envFrom is replaced. If the application dies of ModuleNotFoundError, repeat it in env of the container",
        )


def _names(environ: Mapping[str, str]) -> Iterator[Finding]:
    attributes = dict(_pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")))
    named, service = attributes.get("service.name", ""), environ.get("OTEL_SERVICE_NAME", "").strip()
    if named and service and named != service:
        yield warning(
            "service-name",
            f"service.name={named} in OTEL_RESOURCE_ATTRIBUTES loses to OTEL_SERVICE_NAME={service}, which the "
            "Operator sets where the container does not",
            f"set OTEL_SERVICE_NAME={named} in {_IN_ENV}, or annotate the pod with "
            f"resource.opentelemetry.io/service.name: {named}",
        )


def _attributes(text: str) -> Iterator[Finding]:
    """Yield findings about resource attributes that the Operator does not use as intended."""
    pairs = [item.partition("=") for item in text.split(",")]
    last = {name.strip(): value.strip() for name, equals, value in pairs if equals}
    for name, equals, value in pairs:
        own, sent = value.strip(), last.get(name.strip())
        if equals and sent not in (None, own):
            yield warning(
                "attribute-overruled",
                f"{name.strip()}={unquote(own)} in OTEL_RESOURCE_ATTRIBUTES loses to {unquote(sent)}, which the "
                f"Operator has added: {_why_added(name, own)}",
                _cure_of_added(name.strip(), own),
            )
        elif equals and not own and name.strip() in _IDENTITY:
            yield warning(
                "attribute-empty",
                f"{name.strip()} in OTEL_RESOURCE_ATTRIBUTES has no value, and so the Operator adds none",
                f"take it out of OTEL_RESOURCE_ATTRIBUTES, or give it a value, in {_IN_ENV}",
            )
        elif not equals and name.strip():
            yield warning(
                "attribute-unreadable",
                f"{name.strip()!r} in OTEL_RESOURCE_ATTRIBUTES is not of the form name=value and is ignored",
                "write %2C for a comma in a value",
            )


def _why_added(name: str, value: str) -> str:
    if name.strip() in _ALWAYS_THE_POD_S:
        return "it always adds the pod's own"
    if "=" in value:
        return "it overlooks a value with an equals sign"
    if name != name.rstrip():
        return "it overlooks a name with a blank after it"
    return "it is set twice, and the last one counts"


def _cure_of_added(name: str, value: str) -> str:
    if name in _ALWAYS_THE_POD_S:
        return "use another name for it"
    if "=" in value:
        return f"write {name}={value.replace('=', '%3D')} in {_IN_ENV}"
    return f"name it once, without a blank before the equals sign, in {_IN_ENV}"


def _why_not(environ: Mapping[str, str]) -> str:
    path = "PYTHONPATH comes by valueFrom; " if environ.get("PYTHONPATH") else ""
    return (
        f"{path}the annotation inject-python is missing or names no Instrumentation of this namespace; "
        "the pod is older than the Instrumentation; this is not the first container and container-names does not name "
        "it, or names one that does not exist; otel-python-platform is neither glibc nor musl"
    )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for item in text.split(","):
        name, equals, value = item.partition("=")
        if equals:
            yield name.strip(), unquote(value.strip())
