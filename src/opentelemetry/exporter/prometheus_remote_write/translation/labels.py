"""The labels of a series: from attributes and from the instrumentation scope, merged and put in order.

The rules are those of the OpenTelemetry specification ("Prometheus and OpenMetrics Compatibility", Metric Attributes
and Instrumentation Scope) and of Remote Write: names sorted by their bytes, each once, neither names nor values empty.
There is one deviation: an attribute that conflicts with a label of ours, such as ``job``, is kept as ``exported_job``,
as Prometheus does when it scrapes. Other translators overwrite it, which merges the series that it distinguished.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from ..configuration.translation_strategy import TranslationStrategy
from ..errors import Untranslatable
from ..messages.text import valid_text
from ..model.remote_write import METRIC_NAME, Labels
from .attribute_values import attribute_text
from .naming import label_name

_EXPORTED = "exported_"
_SCOPE = "otel_scope_"
_HASH_LENGTH = 12  # hexadecimal digits, at the end of a value that was cut


def attribute_labels(attributes: Mapping[str, Any], strategy: TranslationStrategy) -> dict[str, str]:
    """Return the labels for attributes, without empty ones.

    If several keys become the same label, their values are joined by ``;`` in the order of the keys' bytes.

    Args:
        attributes: Of a data point, a resource or a scope.
        strategy: How the keys are translated.

    Raises:
        Untranslatable: A key or a value cannot become a label. No labels are returned, because without one of them two
            series could become one.
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
        # As in Prometheus, an empty label counts as not set: only non-empty values are joined.
        if earlier := labels.get(name):
            labels[name] = f"{earlier};{text}"
        elif text:
            labels[name] = text
    return labels


def exported_labels(labels: Mapping[str, str], ours: Collection[str]) -> Mapping[str, str]:
    """Return the labels of attributes; those that conflict with ours are renamed to begin with ``exported_``.

    The new names are Prometheus's for scraped labels that conflict with those of the target (``scrape_config``,
    ``honor_labels``): the prefix is put in front until no other label has the name.

    Args:
        labels: Of the attributes of a data point or a resource.
        ours: Reserved names; the metric's name always is.
    """
    conflicting = sorted((name for name in labels if name in ours or name == METRIC_NAME), key=len)
    if not conflicting:
        return labels
    renamed = {name: text for name, text in labels.items() if name not in conflicting}
    for name in conflicting:
        exported = _EXPORTED + name
        while exported in renamed:
            exported = _EXPORTED + exported
        renamed[exported] = labels[name]
    return renamed


def scope_labels(
    name: str,
    version: str | None,
    schema_url: str | None,
    attributes: Mapping[str, Any] | None,
    strategy: TranslationStrategy,
) -> dict[str, str]:
    """Return the labels for an instrumentation scope, whose names all begin with ``otel_scope_``.

    Args:
        name: The scope's name; like the version and the schema URL it becomes no label if it is empty.
        version: The scope's version.
        schema_url: The scope's schema URL.
        attributes: The scope's attributes. One whose label is that of the name, version or schema URL is dropped, even
            if the scope has none of these.
        strategy: How the keys of the attributes are translated.

    Raises:
        Untranslatable: An attribute's value cannot become a label's.
    """
    labels = attribute_labels({_SCOPE + key: value for key, value in (attributes or {}).items()}, strategy)
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
    """Return all labels of a data point; of several with one name, the last in this order wins.

    Args:
        external: The user's own, unless something else sets them.
        promoted: Resource attributes that are copied onto every series.
        attributes: The data point's.
        target: ``job`` and ``instance`` of the resource.
        scope: The instrumentation scope's.
    """
    return {**external, **promoted, **attributes, **target, **scope}


def shortened_values(labels: Labels, longest: int) -> Labels:
    """Return the labels with long values cut to end in a hash of the whole, so that no two become the same.

    Args:
        labels: Of a series.
        longest: The most characters of a value; 0 is no limit. The metric's name is never cut.
    """
    if not longest or all(len(text) <= longest for _, text in labels):
        return labels
    return tuple((name, text if name == METRIC_NAME else _shortened(text, longest)) for name, text in labels)


def sorted_labels(labels: Mapping[str, str]) -> Labels:
    """Return the labels as they are sent: sorted by the bytes of their names, without empty names and values.

    Args:
        labels: Valid names, and values that can be written as UTF-8.
    """
    # Code points sort like the bytes of their UTF-8.
    if "" in labels or "" in labels.values():
        labels = {name: text for name, text in labels.items() if name and text}
    return tuple(sorted(labels.items()))


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    ending = ("-" + hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH])[-longest:]
    return text[: longest - len(ending)] + ending
