"""Every setting of the exporter: one table behind the fields, the keywords, the variables and the documentation.

A field of :class:`Settings` is a setting; its :class:`Row` names its variable and its keyword, and says how they are
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .connection_settings import ConnectionSettings
from .number_types import BOOLEAN, BOUNDARIES, COUNT, MILLISECONDS, enumeration, whole_number
from .registries import REGISTRIES
from .row import Row
from .row import setting as _setting
from .text_types import LABELS, NAMES, TEXT
from .translation_strategy import TranslationStrategy

PREFIX = "OTEL_EXPORTER_PRW_"


class Settings(ConnectionSettings):
    """The settings of one exporter. A setting that is not given is empty, or None if another default applies.

    They are frozen. This is not a dataclass: generating one with so many fields costs every process milliseconds.
    """

    def __init__(self, **given: Any) -> None:
        if unknown := given.keys() - _ROWS.keys():
            raise TypeError(f"there is no setting {', '.join(sorted(unknown))}")
        vars(self).update(_DEFAULTS)
        vars(self).update(given)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings cannot be changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"settings cannot be changed: {name}")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, Settings) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # some of the values are mappings

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in vars(self).items() if not _ROWS[name].secret)
        return f"Settings({', '.join(shown)})"

    def changed(self, **given: Any) -> Settings:
        """Return a copy with some of the settings changed."""
        return Settings(**{**vars(self), **given})

    translation_strategy: str = _setting(
        "TRANSLATION_STRATEGY",
        enumeration(*(strategy.value for strategy in TranslationStrategy)),
        TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES.value,
        "how names are written: one of Prometheus's four strategies, the others being "
        "`UnderscoreEscapingWithoutSuffixes`, `NoUTF8EscapingWithSuffixes` and `NoTranslation`",
        shown=TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES.value,
    )
    namespace: str = _setting("NAMESPACE", TEXT, "", "prefix of every metric's name")
    external_labels: Mapping[str, str] = _setting(
        "EXTERNAL_LABELS", LABELS, {}, "`k=v,...` labels added to series that have no label of that name"
    )
    resource_labels: tuple[str, ...] = _setting(
        "RESOURCE_LABELS",
        NAMES,
        (),
        "resource attributes copied onto every series: comma list of globs, `!glob` excludes, `*` is all",
    )
    disable_target_info: bool = _setting(
        "DISABLE_TARGET_INFO", BOOLEAN, default=False, doc="do not send `target_info`", shown="false"
    )
    disable_scope_labels: bool = _setting(
        "DISABLE_SCOPE_LABELS", BOOLEAN, default=False, doc="do not send `otel_scope_*` labels", shown="false"
    )
    disable_exemplars: bool = _setting(
        "DISABLE_EXEMPLARS", BOOLEAN, default=False, doc="do not send exemplars", shown="false"
    )
    default_histogram_aggregation: str = _setting(
        "DEFAULT_HISTOGRAM_AGGREGATION",
        enumeration("explicit_bucket_histogram", "base2_exponential_bucket_histogram"),
        "explicit_bucket_histogram",
        "or `base2_exponential_bucket_histogram`, which arrives as native histograms",
        shown="explicit_bucket_histogram",
    )
    histogram_boundaries: tuple[float, ...] = _setting(
        "HISTOGRAM_BOUNDARIES",
        BOUNDARIES,
        (),
        "boundaries of explicit histograms that set none themselves",
        shown="the SDK's",
    )
    convert_histograms_to_nhcb: bool = _setting(
        "CONVERT_HISTOGRAMS_TO_NHCB",
        BOOLEAN,
        default=False,
        doc="explicit histograms as native histograms with custom buckets (protocol 2.0 only)",
        shown="false",
    )
    histogram_min_max: bool = _setting(
        "HISTOGRAM_MIN_MAX",
        BOOLEAN,
        default=False,
        doc="also send `<name>_min` and `<name>_max` of histograms, as gauges",
        shown="false",
    )
    drop_metrics: tuple[str, ...] = _setting(
        "DROP_METRICS", NAMES, (), "metrics that are not sent: globs over OpenTelemetry metric names"
    )
    instance: str = _setting(
        "INSTANCE",
        enumeration("id", "host"),
        "id",
        "what the label `instance` is: the resource's `service.instance.id`, or with `host` the host's name (in "
        "Kubernetes the pod's), so that restarts continue the same series",
        shown="id",
    )
    max_samples_per_send: int = _setting(
        "MAX_SAMPLES_PER_SEND", COUNT, 2000, "most samples in one request", shown="2000"
    )
    max_concurrent_requests: int = _setting(
        "MAX_CONCURRENT_REQUESTS", COUNT, 4, "most requests in flight at the same time", shown="4"
    )
    min_backoff: int = _setting("MIN_BACKOFF", MILLISECONDS, 100, "wait before the first retry", shown="100")
    max_backoff: int = _setting("MAX_BACKOFF", MILLISECONDS, 5000, "longest wait between retries", shown="5000")
    buffer_directory: str = _setting(
        "BUFFER_DIRECTORY",
        TEXT,
        "",
        "folder that keeps undelivered metrics after the process ends; without it, they are kept in memory",
    )
    max_buffered_bytes: int = _setting(
        "MAX_BUFFERED_BYTES",
        whole_number("bytes", minimum=0),
        16777216,
        "most compressed bytes to keep through an outage; 0 switches buffering off",
        shown="16777216",
    )
    max_buffered_age: int = _setting(
        "MAX_BUFFERED_AGE",
        whole_number("milliseconds", minimum=0),
        3600000,
        "how long to keep them; 0 switches buffering off",
        shown="3600000",
    )
    max_series: int = _setting(
        "MAX_SERIES",
        whole_number("number", minimum=0),
        0,
        "most series of all exporters of the process together; series beyond it are not sent; 0 is no limit",
        shown="0",
    )
    max_label_value_length: int = _setting(
        "MAX_LABEL_VALUE_LENGTH",
        whole_number("number", minimum=0),
        0,
        "most characters of a label's value: a longer one is cut and ends in a hash of the whole; 0 is no limit",
        shown="0",
    )
    stale_markers: bool = _setting(
        "STALE_MARKERS",
        BOOLEAN,
        default=False,
        doc="mark series as stale when they end, and all series at shutdown, so that queries no longer find them",
        shown="false",
    )
    disable_zero_samples: bool = _setting(
        "DISABLE_ZERO_SAMPLES",
        BOOLEAN,
        default=False,
        doc="do not begin counters and histograms with the 0 that lets `increase()` see their first counts",
        shown="false",
    )
    prometheus_client: bool | tuple[Any, ...] = _setting(
        "PROMETHEUS_CLIENT",
        REGISTRIES,
        default=False,
        doc="also push what the application measures with prometheus_client, as its page shows it. The keyword also "
        "takes a registry or several",
        shown="false",
    )
    disable_os_exit_flush: bool = _setting(
        "DISABLE_OS_EXIT_FLUSH",
        BOOLEAN,
        default=False,
        doc="do not push before a process ends at once: by `os._exit`, as forked children do, or by a signal that it "
        "sends itself",
        shown="false",
    )
    shutdown_timeout: int = _setting(
        "SHUTDOWN_TIMEOUT",
        MILLISECONDS,
        5000,
        "longest time that the exporter adds to the application's exit",
        shown="5000",
    )


_ROWS: dict[str, Row] = {
    name: row for part in reversed(Settings.__mro__) for name, row in vars(part).items() if isinstance(row, Row)
}
_DEFAULTS = {name: row.value for name, row in _ROWS.items()}


def rows() -> Mapping[str, Row]:
    """Return the table: each field's name with its row, in the documentation's order."""
    return _ROWS


def variable(name: str) -> str:
    """Return the environment variable of a field of :class:`Settings`."""
    return PREFIX + _ROWS[name].variable
