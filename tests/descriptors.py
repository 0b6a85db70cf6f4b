"""What all data points of a metric have in common, as the tests of what they become need it."""

from opentelemetry.exporter.prometheus_remote_write.label_sets import LabelSets
from opentelemetry.exporter.prometheus_remote_write.labels import attribute_labels, sorted_labels
from opentelemetry.exporter.prometheus_remote_write.naming import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.points import Descriptor
from opentelemetry.exporter.prometheus_remote_write.series import Claims


def described(refuse, metric="latency", family="latency", help_="", unit="seconds"):
    return Descriptor(
        metric=metric,
        family=family,
        help=help_,
        unit=unit,
        labels=LabelSets(
            lambda attributes: sorted_labels(
                attribute_labels(attributes, TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES)
            )
        ),
        claims=Claims(),
        refuse=refuse,
        exemplars=True,
    )
