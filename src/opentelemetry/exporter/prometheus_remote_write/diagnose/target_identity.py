"""The resource as it will be sent: its job and its instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, Resource

from ..configuration.settings import Settings
from ..configuration.translation_strategy import TranslationStrategy
from ..lifecycle.birth import SDK_MAKES_IDS, generated_id
from ..lifecycle.instance_id import host_name
from ..translation.target import Target, target
from .finding import Finding, ok, warning

_UNNAMED = "unknown_service"
_NUMBERED = "further processes add -1, -2 and so on"


def resource_attributes(declared: Any = None, *, is_declared: bool = False) -> Mapping[str, Any]:
    """Return the attributes of the resource that the SDK makes here.

    Args:
        declared: A declarative file's description of it.
        is_declared: Whether there is such a file, which then defines everything.
    """
    if not is_declared:
        return Resource.create().attributes
    try:
        from opentelemetry.configuration._resource import create_resource  # noqa: PLC0415 - the SDK's own reading
    except ImportError:  # private, so it may disappear
        return {}
    return create_resource(declared).attributes


def identified(attributes: Mapping[str, Any], settings: Settings) -> Mapping[str, Any]:
    """Return the attributes with the instance id that the exporter gives them, before any number.

    Args:
        attributes: Of the resource.
        settings: Whether the instance is the host's name.
    """
    if settings.instance == "host" and (host := host_name()):
        return {**attributes, SERVICE_INSTANCE_ID: host}
    if SDK_MAKES_IDS or attributes.get(SERVICE_INSTANCE_ID):
        return attributes
    return {**attributes, SERVICE_INSTANCE_ID: generated_id()}


def target_of(attributes: Mapping[str, Any], settings: Settings) -> Target:
    """Return the labels that a resource becomes."""
    return target(
        attributes,
        strategy=TranslationStrategy(settings.translation_strategy),
        namespace=settings.namespace,
        external_labels=settings.external_labels,
        resource_labels=settings.resource_labels,
        resources_as_labels=False,
        target_info=not settings.disable_target_info,
    )


def findings(
    labels: Target, attributes: Mapping[str, Any], settings: Settings, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield findings about ``job`` and ``instance``.

    Args:
        labels: The labels of the resource.
        attributes: The resource's attributes.
        settings: Whether the instance is the host's name.
        environ: The environment, to find out where the instance comes from.
    """
    job, instance = labels.labels.get("job", ""), labels.labels.get("instance", "")
    if not job or job.rpartition("/")[2].startswith(_UNNAMED):
        shown = f"the job is {job}" if job else "there is no label job"
        yield warning("job", f"{shown}: the service has no name", "set OTEL_SERVICE_NAME")
    else:
        yield ok("job", job)
    if not instance:
        text = "there is no label instance: processes of one job write the same series"
        yield warning("instance", text, f"give the resource a {SERVICE_INSTANCE_ID}")
    elif settings.instance == "host":
        yield ok("instance", f"{instance}, the host's name ({_NUMBERED})")
    elif SERVICE_INSTANCE_ID in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        yield ok("instance", f"{instance} (from OTEL_RESOURCE_ATTRIBUTES; {_NUMBERED})")
    else:
        yield ok("instance", f"a new one for each process, such as {instance}")
    for sentence in labels.left_out:
        yield warning("resource-attribute", sentence, "give it a text value")
    if count := len(attributes) - len(labels.labels):
        sent = "target_info" if labels.info else "no series"
        yield ok("resource", f"{count} further attributes, in {sent}")
