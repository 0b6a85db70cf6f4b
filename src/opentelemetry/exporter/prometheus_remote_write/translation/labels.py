"""The labels of a series: from attributes and from the instrumentation scope, merged and put in order.

The rules are those of the OpenTelemetry specification ("Prometheus and OpenMetrics Compatibility", Metric Attributes
and Instrumentation Scope) and of Remote Write: names sorted by their bytes, each once, neither names nor values empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..configuration.translation_strategy import TranslationStrategy
from ..errors import Untranslatable
from ..model.remote_write import METRIC_NAME, Labels
from ..text import valid_text
from .attribute_values import attribute_text
from .naming import label_name


def attribute_labels(attributes: Mapping[str, Any], strategy: TranslationStrategy) -> dict[str, str]:
    """Return the labels for attributes, without those that are empty.

    Where several keys give one label, their values are joined by ``;`` in the order of the keys' bytes.

    Args:
        attributes: Of a data point, a resource or a scope.
        strategy: How the keys are translated.

    Raises:
        Untranslatable: A key or a value has no form as a label. All labels are dropped together: without one of them,
            two series could become one.
    """
    try:
        keys = sorted(attributes)
    except TypeError as error:
        raise Untranslatable("label name", "attributes have keys of several types; only strings can be keys") from error
    labels: dict[str, str] = {}
    for key in keys:
        name = label_name(key, strategy)
        try:
            text = attribute_text(attributes[key])
        except Untranslatable as error:
            raise Untranslatable(error.reason, f"attribute {key!r}: {error}") from error
        # As in Prometheus, a label that is empty so far is not set yet: only what follows another value is joined.
        if earlier := labels.get(name):
            labels[name] = f"{earlier};{text}"
        elif text:
            labels[name] = text
    labels.pop(METRIC_NAME, None)
    return labels


def scope_labels(
    name: str,
    version: str | None,
    schema_url: str | None,
    attributes: Mapping[str, Any] | None,
    strategy: TranslationStrategy,
) -> dict[str, str]:
    """Return the labels for an instrumentation scope, whose names all begin with ``otel_scope_``.

    Args:
        name: The scope's name; as version and schema URL it gives no label where it is empty.
        version: The scope's version.
        schema_url: The scope's schema URL.
        attributes: The scope's attributes. One whose label is that of the name, version or schema URL is left out, even
            where the scope has none of these.
        strategy: How the keys of the attributes are translated.

    Raises:
        Untranslatable: An attribute has a value that cannot be a label's.
    """
    labels = attribute_labels({"otel_scope_" + key: value for key, value in (attributes or {}).items()}, strategy)
    for label, text in (
        ("otel_scope_name", name),
        ("otel_scope_version", version),
        ("otel_scope_schema_url", schema_url),
    ):
        labels.pop(label, None)
        if text:
            labels[label] = valid_text(text)
    return labels


def merged_labels(
    *,
    external: Mapping[str, str],
    promoted: Mapping[str, str],
    attributes: Mapping[str, str],
    target: Mapping[str, str],
    scope: Mapping[str, str],
) -> dict[str, str]:
    """Return all labels of a data point; of those with one name, the one given last in this list.

    What makes a series of it comes over this: first ``le``, then ``__name__``.

    Args:
        external: The user's own, wherever nothing else sets them.
        promoted: Resource attributes that are copied onto every series.
        attributes: The data point's.
        target: ``job`` and ``instance`` of the resource.
        scope: The instrumentation scope's.
    """
    return {**external, **promoted, **attributes, **target, **scope}


def sorted_labels(labels: Mapping[str, str]) -> Labels:
    """Return the labels as they are sent: sorted by the bytes of their names, without empty names and values.

    Args:
        labels: Legal names, and values that can be written as UTF-8.
    """
    # Code points sort as the bytes of their UTF-8 do.
    if "" in labels or "" in labels.values():
        labels = {name: text for name, text in labels.items() if name and text}
    return tuple(sorted(labels.items()))
