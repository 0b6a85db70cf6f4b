"""What all data points of a metric have in common, as the tests of what they become need it."""

from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.translation.label_sets import LabelSets
from opentelemetry.exporter.prometheus_remote_write.translation.labels import attribute_labels, sorted_labels
from opentelemetry.exporter.prometheus_remote_write.translation.points import MetricDescriptor
from opentelemetry.exporter.prometheus_remote_write.translation.series_registry import SeriesRegistry


def described(refuse, metric="latency", family="latency", help_="", unit="seconds"):
    return MetricDescriptor(
        metric=metric,
        family=family,
        help=help_,
        unit=unit,
        labels=LabelSets(
            lambda attributes: sorted_labels(
                attribute_labels(attributes, TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES)
            )
        ),
        registry=SeriesRegistry(),
        drop=refuse,
        exemplars=True,
    )
