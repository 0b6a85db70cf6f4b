"""The table: every row of it can be read, and everything that is made from it agrees with it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.aggregation import aggregation
from opentelemetry.exporter.prometheus_remote_write.configuration.loading import load
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings, rows, variable
from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.exporter import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.late_exports import LateExports
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.collected import collected, counter, histogram, histogram_point, point

EXAMPLES = {
    "endpoint": ("http://host:9090/api/v1/write", "http://host:9090/api/v1/write"),
    "timeout": ("1500", 1.5),
    "interval": ("5000", 5000),
    "headers": ("X-Scope-OrgID=5", {"X-Scope-OrgID": "5"}),
    "username": ("user", "user"),
    "password": ("pass123", "pass123"),
    "password_file": ("/run/password", "/run/password"),
    "bearer_token": ("t0ken", "t0ken"),
    "bearer_token_file": ("/run/token", "/run/token"),
    "auth": ("SigV4", "sigv4"),
    "sigv4_region": ("eu-west-1", "eu-west-1"),
    "sigv4_service": ("execute-api", "execute-api"),
    "sigv4_profile": ("metrics", "metrics"),
    "sigv4_role_arn": ("arn:aws:iam::123456789012:role/x", "arn:aws:iam::123456789012:role/x"),
    "sigv4_external_id": ("id-5", "id-5"),
    "azure_scope": ("https://monitor.azure.us/.default", "https://monitor.azure.us/.default"),
    "oauth2_token_url": ("https://idp/token", "https://idp/token"),
    "oauth2_client_id": ("shop", "shop"),
    "oauth2_client_secret": ("pass456", "pass456"),
    "oauth2_client_secret_file": ("/run/client", "/run/client"),
    "oauth2_scopes": ("a b,c", ("a", "b", "c")),
    "oauth2_params": ("audience=https%3A%2F%2Fmimir", {"audience": "https://mimir"}),
    "certificate": ("/run/ca.crt", "/run/ca.crt"),
    "client_certificate": ("/run/tls.crt", "/run/tls.crt"),
    "client_key": ("/run/tls.key", "/run/tls.key"),
    "tls_server_name": ("mimir", "mimir"),
    "insecure_skip_verify": ("true", True),
    "proxies": ("http://proxy:3128", {"http": "http://proxy:3128", "https": "http://proxy:3128"}),
    "protocol": ("1.0", "1.0"),
    "translation_strategy": ("notranslation", "NoTranslation"),
    "namespace": ("shop", "shop"),
    "external_labels": ("cluster=eu", {"cluster": "eu"}),
    "resource_labels": ("k8s.*,!k8s.pod.uid", ("k8s.*", "!k8s.pod.uid")),
    "disable_target_info": ("true", True),
    "disable_scope_labels": ("true", True),
    "disable_exemplars": ("true", True),
    "default_histogram_aggregation": ("base2_exponential_bucket_histogram", "base2_exponential_bucket_histogram"),
    "histogram_boundaries": ("0,1,10", (0.0, 1.0, 10.0)),
    "convert_histograms_to_nhcb": ("true", True),
    "histogram_min_max": ("true", True),
    "drop_metrics": ("process.*,system.*", ("process.*", "system.*")),
    "instance": ("HOST", "host"),
    "max_samples_per_send": ("500", 500),
    "max_concurrent_requests": ("1", 1),
    "min_backoff": ("10", 10),
    "max_backoff": ("20000", 20000),
    "max_buffered_bytes": ("0", 0),
    "max_buffered_age": ("0", 0),
    "max_series": ("10000", 10_000),
    "buffer_directory": ("/var/lib/prw", "/var/lib/prw"),
    "prometheus_client": ("true", True),
    "max_label_value_length": ("2048", 2048),
    "stale_markers": ("true", True),
    "disable_zero_samples": ("true", True),
    "disable_os_exit_flush": ("true", True),
    "shutdown_timeout": ("1000", 1000),
}
"""For each setting the text of its variable, and what it means."""

PATHS = {
    "password_file",
    "bearer_token_file",
    "certificate",
    "client_certificate",
    "client_key",
    "oauth2_client_secret_file",
}  # or a pasted secret
SECRETS = {
    "endpoint",
    "headers",
    "username",
    "password",
    "bearer_token",
    "proxies",
    "oauth2_token_url",
    "oauth2_client_secret",
    "oauth2_params",
    *PATHS,
}
OF_A_WAY_TO_AUTHENTICATE = {name for name in EXAMPLES if name.startswith(("sigv4_", "azure_", "oauth2_"))}
"""What each of these does is shown in tests/transport/authentication."""
NEEDS = {  # a setting that is of no use alone
    "username": {"password": "pass123"},
    "password": {"username": "user"},
    "password_file": {"username": "user"},
    "client_key": {"client_certificate": "/run/tls.crt"},
    "sigv4_external_id": {"sigv4_role_arn": "arn:aws:iam::123456789012:role/x"},
    **{
        name: {
            "oauth2_token_url": "https://idp/token",
            "oauth2_client_id": "shop",
            **({} if name.startswith("oauth2_client_secret") else {"oauth2_client_secret": "pass456"}),
        }
        for name in EXAMPLES
        if name.startswith("oauth2_")
    },
}


def environment(**texts):
    return {variable(name): text for name, text in {"endpoint": "http://host/write", **texts}.items()}


def test_every_setting_has_an_example():
    assert EXAMPLES.keys() == rows().keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_setting_is_read_from_its_variable(name):
    text, value = EXAMPLES[name]
    settings, problems = load({}, environment(**{**NEEDS.get(name, {}), name: text}))
    assert (getattr(settings, name), problems) == (value, [])


@pytest.mark.parametrize("name", EXAMPLES)
def test_setting_is_read_from_its_keyword(name):
    keywords = {"endpoint": "http://host/write"}
    for each, value in {**NEEDS.get(name, {}), name: EXAMPLES[name][1]}.items():
        group, dot, key = rows()[each].keyword.partition(".")
        keywords |= {group: {**keywords.get(group, {}), key: value}} if dot else {group: value}
    settings, problems = load(keywords, {})
    assert (getattr(settings, name), problems) == (EXAMPLES[name][1], [])


class NoticedSettings(Settings):
    """Settings that notice which of them is read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        NoticedSettings.read.add(name)
        return super().__getattribute__(name)


def noticed(**keywords):
    """What the keywords say."""
    settings, problems = load(keywords, {})
    assert problems == []
    return NoticedSettings(**vars(settings))


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - OF_A_WAY_TO_AUTHENTICATE))
def test_setting_is_read_by_an_exporter(name, exporting):
    assert name in exporting


@pytest.fixture(scope="module")
def exporting():
    """The settings that exporters read for an export each, over HTTP and TLS, with a password and with a token."""
    basic = {"username": "shop", "password": "pass123"}
    with Receiver() as receiver:
        for keywords in (
            {"endpoint": receiver.url, "auth": "basic", "basic_auth": basic},
            {"endpoint": receiver.url, "auth": "bearer", "bearer_token": "t0ken"},
            {"endpoint": "https://127.0.0.1:1/api/v1/write", "auth": "none"},
        ):
            exporter = PrometheusRemoteWriteMetricsExporter(receiver.url)
            exporter.settings = noticed(**keywords)
            assert aggregation(exporter.settings, None)
            assert not exporter.flushes_before_os_exit
            exports = LateExports(exporter, exporter.settings, None, resources_as_labels=False).ready()
            exports.export(collected(counter(point()), histogram(histogram_point())), 0.2)
            exports.end(0.2)
            exporter.shutdown()
    return NoticedSettings.read


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_not_the_default(name):
    assert EXAMPLES[name][1] != getattr(Settings(), name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_empty_variable_is_unset(name):
    settings, _ = load({}, environment(**{name: "  "}))
    assert getattr(settings, name) == getattr(Settings(), name)


def test_secrets_are_not_in_the_repr():
    secret = {name for name, row in rows().items() if row.secret}
    assert secret == SECRETS
    shown = repr(Settings(**{name: value for name, (_, value) in EXAMPLES.items()}))
    assert {name for name in rows() if f"{name}=" not in shown} == SECRETS
    assert not [name for name in SECRETS if repr(EXAMPLES[name][1]) in shown]


@pytest.mark.parametrize(
    "name", [name for name, row in rows().items() if not row.default.startswith(("-", "`", "the "))]
)
def test_default_in_the_readme_is_the_default_in_use(name):
    row = rows()[name]
    assert row.type.parse(row.default) == getattr(Settings(), name)


@pytest.mark.parametrize("strategy", TranslationStrategy)
def test_every_strategy_of_naming_can_be_set(strategy):
    settings, problems = load({}, environment(translation_strategy=strategy.value))
    assert (TranslationStrategy(settings.translation_strategy), problems) == (strategy, [])


def test_no_strategy_can_be_set_that_naming_does_not_know():
    _, (problem,) = load({}, environment(translation_strategy="no such word"))
    words = problem.message.partition("must be one of ")[2].partition(";")[0].split(", ")
    assert words == [strategy.value for strategy in TranslationStrategy]
