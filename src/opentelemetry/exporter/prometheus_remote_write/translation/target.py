"""What a resource becomes: ``job`` and ``instance``, labels that are copied onto every series, and ``target_info``.

The rules are those of the OpenTelemetry specification ("Prometheus and OpenMetrics Compatibility", Resource
Attributes).
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ..configuration.translation_strategy import TranslationStrategy
from ..errors import Untranslatable
from ..model.remote_write import METRIC_NAME
from .attribute_values import attribute_text
from .labels import attribute_labels, exported_labels, sorted_labels
from .naming import (
    MetricKind,
    label_name,
    metric_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..model.remote_write import Labels

_SERVICE_NAME = "service.name"
_SERVICE_NAMESPACE = "service.namespace"
_SERVICE_INSTANCE_ID = "service.instance.id"
_IDENTIFYING = frozenset({_SERVICE_NAME, _SERVICE_NAMESPACE, _SERVICE_INSTANCE_ID})


@dataclass(frozen=True)
class Target:
    """What all series of a resource have in common.

    Attributes:
        labels: ``job`` and ``instance``, as far as the resource has them.
        promoted: Resource attributes that are copied onto every series; metric attributes override them.
        info: All labels of the ``target_info`` series, including its name; None if it is not sent.
        left_out: A sentence for each resource attribute that cannot become a label, for the log.
    """

    labels: Mapping[str, str]
    promoted: Mapping[str, str]
    info: Labels | None
    left_out: tuple[str, ...]


def target(  # noqa: PLR0913 - each is a setting of its own
    resource_attributes: Mapping[str, Any],
    *,
    strategy: TranslationStrategy,
    namespace: str,
    external_labels: Mapping[str, str],
    resource_labels: Sequence[str],
    resources_as_labels: bool,
    target_info: bool,
) -> Target:
    """Return what a resource becomes.

    ``target_info`` is sent if it adds information (the resource has more than its identifying attributes) that can be
    joined with other series (there is a ``job`` or an ``instance``). An attribute that cannot become a label is
    dropped.

    Args:
        resource_attributes: The resource's attributes.
        strategy: How names are translated.
        namespace: The prefix of ``target_info``, as of every metric name.
        external_labels: The user's own labels, with valid names; the resource's override them.
        resource_labels: Globs over the keys of the attributes to copy onto every series, in any order. A glob after
            ``!`` excludes keys that the others include.
        resources_as_labels: Whether every attribute is copied, except those that ``resource_labels`` exclude.
        target_info: Whether to send ``target_info``.
    """
    texts, left_out = _texts(resource_attributes, strategy)
    labels = _identity(texts)
    globs = ["*", *resource_labels] if resources_as_labels else resource_labels
    return Target(
        labels=labels,
        promoted=exported_labels(
            attribute_labels({key: text for key, text in texts.items() if _is_named(key, globs)}, strategy), labels
        ),
        info=_info(texts, labels, external_labels, strategy, namespace) if target_info else None,
        left_out=tuple(left_out),
    )


def _texts(attributes: Mapping[str, Any], strategy: TranslationStrategy) -> tuple[dict[str, str], list[str]]:
    texts: dict[str, str] = {}
    left_out: list[str] = []
    for key, value in attributes.items():
        try:
            label_name(key, strategy)
            texts[key] = attribute_text(value)
        except Untranslatable as error:
            left_out.append(f"resource attribute {key!r} is dropped: {error}")
    return texts, left_out


def _identity(texts: Mapping[str, str]) -> dict[str, str]:
    labels = {}
    if name := texts.get(_SERVICE_NAME):
        namespace = texts.get(_SERVICE_NAMESPACE)
        labels["job"] = f"{namespace}/{name}" if namespace else name
    if instance := texts.get(_SERVICE_INSTANCE_ID):
        labels["instance"] = instance
    return labels


def _is_named(key: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(key, glob) for glob in globs if not glob.startswith("!")) and not any(
        fnmatchcase(key, glob[1:]) for glob in globs if glob.startswith("!")
    )


def _info(
    texts: Mapping[str, str],
    identity: Mapping[str, str],
    external_labels: Mapping[str, str],
    strategy: TranslationStrategy,
    namespace: str,
) -> Labels | None:
    described = exported_labels(
        attribute_labels({key: text for key, text in texts.items() if key not in _IDENTIFYING}, strategy), identity
    )
    labels = {**external_labels, **described, **identity}
    if not described or labels.keys().isdisjoint(("job", "instance")):
        return None
    name = metric_name("target_info", "", MetricKind.GAUGE, strategy, namespace)
    return sorted_labels({**labels, METRIC_NAME: name})
