"""Every setting of the exporter: one table, from which come the dataclass, the keywords, the variables and the README.

A field of :class:`Settings` is a setting; its :class:`Row` says how its variable and its keyword are called and read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from .setting_types import (
    BOOLEAN,
    BOUNDARIES,
    COUNT,
    HEADERS,
    LABELS,
    MILLISECONDS,
    NAMES,
    PROXIES,
    TEXT,
    TIMEOUT,
    URL,
    SettingType,
    enumeration,
    whole_number,
)
from .translation_strategy import TranslationStrategy

PREFIX = "OTEL_EXPORTER_PRW_"

RESERVED_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "retry-attempt",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "www-authenticate",
        "x-prometheus-remote-read-version",
        "x-prometheus-remote-write-version",
    }
)
"""Headers of the protocol and of the connection, in lower case, which a user cannot set (as in Prometheus)."""


class Row(NamedTuple):
    """What the table says of a setting beside its field's name and type.

    Args:
        type: How its variable's text and its keyword are read.
        doc: What it means, for the README.
        default: How the README writes the default.
        variable: The variable without its prefix.
        keyword: The keyword; with a dot where it is a key of a mapping, as in ``tls_config.ca_file``.
        secret: Whether its value is never shown.
        guards: Whether a wrong value stops all sending, because to send all the same would be unsafe; else the default
            takes its place.
    """

    type: SettingType[Any]
    doc: str
    default: str
    variable: str
    keyword: str
    secret: bool
    guards: bool


def _setting(  # noqa: PLR0913 - a row of the table
    variable: str,
    kind: SettingType[Any],
    default: object,
    doc: str,
    *,
    shown: str = "-",
    keyword: str = "",
    secret: bool = False,
    guards: bool = False,
) -> Any:
    row = Row(kind, doc, shown, variable, keyword or variable.lower(), secret, guards)
    return field(default_factory=lambda: default, metadata={"row": row}, repr=not secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one exporter. What is not given is empty, or None where somebody else's default holds."""

    endpoint: str = _setting(
        "ENDPOINT", URL, "", "full write URL, e.g. `http://prometheus:9090/api/v1/write`", secret=True, guards=True
    )
    timeout: float = _setting(
        "TIMEOUT",
        TIMEOUT,
        30.0,
        "one HTTP request; never longer than what is left of the export's own deadline. The keyword is in seconds",
        shown="30000",
    )
    interval: int | None = _setting(
        "INTERVAL",
        MILLISECONDS,
        None,
        "interval of the controller (the periodic reader) that the configurator builds",
        shown="`OTEL_METRIC_EXPORT_INTERVAL`, 60000",
    )
    headers: Mapping[str, str] = _setting(
        "HEADERS",
        HEADERS,
        {},
        "headers of every request, percent-encoded as in OTLP's; protocol headers cannot be overridden",
        secret=True,
        guards=True,
    )
    username: str = _setting("USERNAME", TEXT, "", "basic authentication", keyword="basic_auth.username", guards=True)
    password: str = _setting(
        "PASSWORD", TEXT, "", "with this password", keyword="basic_auth.password", secret=True, guards=True
    )
    password_file: str = _setting(
        "PASSWORD_FILE", TEXT, "", "or with the password in this file", keyword="basic_auth.password_file", guards=True
    )
    bearer_token: str = _setting(
        "BEARER_TOKEN", TEXT, "", "`Authorization: Bearer` with this token", secret=True, guards=True
    )
    bearer_token_file: str = _setting("BEARER_TOKEN_FILE", TEXT, "", "or with the token in this file", guards=True)
    certificate: str = _setting(
        "CERTIFICATE",
        TEXT,
        "",
        "file with the certificate authorities to trust",
        shown="the system's",
        keyword="tls_config.ca_file",
        guards=True,
    )
    client_certificate: str = _setting(
        "CLIENT_CERTIFICATE", TEXT, "", "file with our own certificate", keyword="tls_config.cert_file", guards=True
    )
    client_key: str = _setting("CLIENT_KEY", TEXT, "", "file with its key", keyword="tls_config.key_file", guards=True)
    tls_server_name: str = _setting(
        "TLS_SERVER_NAME",
        TEXT,
        "",
        "name to ask for and to verify",
        shown="the endpoint's host",
        keyword="tls_config.server_name",
        guards=True,
    )
    insecure_skip_verify: bool = _setting(
        "INSECURE_SKIP_VERIFY",
        BOOLEAN,
        default=False,
        doc="accept any certificate of the server",
        shown="false",
        keyword="tls_config.insecure_skip_verify",
    )
    proxies: Mapping[str, str] | None = _setting(
        "PROXY",
        PROXIES,
        None,
        "proxy for all requests",
        shown="`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`",
        keyword="proxies",
        secret=True,
        guards=True,
    )
    protocol: str = _setting(
        "PROTOCOL",
        enumeration("auto", "1.0", "2.0"),
        "auto",
        "version of Remote Write: `1.0`, `2.0`, or `auto`: 2.0 with a safe fall back to 1.0",
        shown="auto",
    )
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
        "EXTERNAL_LABELS", LABELS, {}, "`k=v,...` labels added where a series has none of that name"
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
        "comma list, for explicit histograms that set no boundaries",
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
        "DROP_METRICS", NAMES, (), "comma list of globs over OpenTelemetry metric names that are not sent"
    )
    max_samples_per_send: int = _setting(
        "MAX_SAMPLES_PER_SEND", COUNT, 2000, "samples in one request, at most", shown="2000"
    )
    max_concurrent_requests: int = _setting(
        "MAX_CONCURRENT_REQUESTS", COUNT, 4, "requests under way at the same time, at most", shown="4"
    )
    min_backoff: int = _setting("MIN_BACKOFF", MILLISECONDS, 100, "wait before the first retry", shown="100")
    max_backoff: int = _setting("MAX_BACKOFF", MILLISECONDS, 5000, "longest wait between retries", shown="5000")
    max_buffered_bytes: int = _setting(
        "MAX_BUFFERED_BYTES",
        whole_number("bytes", minimum=0),
        16777216,
        "what is kept through an outage, compressed; 0 switches it off",
        shown="16777216",
    )
    max_buffered_age: int = _setting(
        "MAX_BUFFERED_AGE",
        whole_number("milliseconds", minimum=0),
        3600000,
        "how long it is kept; 0 switches it off",
        shown="3600000",
    )
    max_series: int = _setting(
        "MAX_SERIES",
        whole_number("number", minimum=0),
        0,
        "series that all exporters of the process have together, at most; what is beyond is not sent; 0 is no limit",
        shown="0",
    )
    max_label_value_length: int = _setting(
        "MAX_LABEL_VALUE_LENGTH",
        whole_number("number", minimum=0),
        0,
        "characters of a label's value, at most: a longer one is cut and ends in a hash of the whole; 0 is no limit",
        shown="0",
    )
    stale_markers: bool = _setting(
        "STALE_MARKERS",
        BOOLEAN,
        default=False,
        doc="tell the receiver of each series that ends, and of all of them at shutdown: queries no longer find them",
        shown="false",
    )
    disable_zero_samples: bool = _setting(
        "DISABLE_ZERO_SAMPLES",
        BOOLEAN,
        default=False,
        doc="do not begin counters and histograms with a 0, which lets `increase()` see what they count first",
        shown="false",
    )
    shutdown_timeout: int = _setting(
        "SHUTDOWN_TIMEOUT", MILLISECONDS, 5000, "the application's exit takes no longer because of us", shown="5000"
    )


def rows() -> dict[str, Row]:
    """The table: each field's name with its row, in the order of the README."""
    return {item.name: item.metadata["row"] for item in fields(Settings)}


def variable(name: str) -> str:
    """The environment variable of a field of :class:`Settings`."""
    return PREFIX + rows()[name].variable
