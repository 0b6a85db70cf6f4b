"""What is written in OpenTelemetry's words becomes the names that arrive."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.monitoring.names import Names

DEFAULT = Names()
WITHOUT_SUFFIXES = Names(TranslationStrategy.UNDERSCORE_ESCAPING_WITHOUT_SUFFIXES)
UTF_8 = Names(TranslationStrategy.NO_TRANSLATION)
SHOP = Names(namespace="shop")


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        (DEFAULT, '<<counter http.requests {request} {job="a"}>>[5m]', 'http_requests_total{job="a"}[5m]'),
        (DEFAULT, "<<histogram http.duration s _bucket{}>>", "http_duration_seconds_bucket"),
        (DEFAULT, "<<histogram http.duration s {}>>", "http_duration_seconds"),
        (DEFAULT, "<<gauge share 1 {}>>", "share_ratio"),
        (WITHOUT_SUFFIXES, "<<histogram http.duration s _bucket{}>>", "http_duration_bucket"),
        (UTF_8, '<<counter http.requests {request} {job="a"}>>', '{"http.requests",job="a"}'),
        (UTF_8, "<<histogram http.duration s _count{}>>", '{"http.duration_count"}'),
        (UTF_8, "<<counter requests {request} {}>>", "requests"),
        (SHOP, "<<counter http.requests {request} {}>>", "shop_http_requests_total"),
        (DEFAULT, "sum by (<<label http.route>>, le)", "sum by (http_route, le)"),
        (UTF_8, "sum by (<<label http.route>>, le)", 'sum by ("http.route", le)'),
        (UTF_8, "{{<<legend http.route>>}}", "{{http.route}}"),
        (
            UTF_8,
            '<<counter hits {hit} {<<label http.route>>="/"}>>',
            '{"hits","http.route"="/"}'.replace('{"hits",', "hits{"),
        ),
        (Names(interval=15), "> <<intervals 3>> for: <<duration 2>>", "> 45 for: 30000ms"),
        (Names(buffered_bytes=1000, buffered_seconds=60), "<<buffered bytes 0.8>> <<buffered seconds 0.5>>", "800 30"),
        (Names(repository="https://x"), "<<docs how-to/alerts.md#a>>", "https://x/blob/main/docs/how-to/alerts.md#a"),
    ],
)
def test_text_is_filled(names, text, expected):
    assert names.fill(text) == expected
