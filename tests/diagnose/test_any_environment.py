"""Whatever the environment holds, a check raises nothing, shows no secret, and has a cure for all that is not good."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry_prometheus_remote_write.exporter_names import chosen_exporters

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings, rows, variable
from opentelemetry.exporter.prometheus_remote_write.configuration.text_types import PROXIES, URL
from opentelemetry.exporter.prometheus_remote_write.diagnose import (
    configuration,
    kubernetes,
    launcher_choice,
    target_identity,
)
from opentelemetry.exporter.prometheus_remote_write.diagnose.finding import Level
from opentelemetry.exporter.prometheus_remote_write.diagnose.installed import installed_plugs
from opentelemetry.exporter.prometheus_remote_write.diagnose.report import TextReport, document
from tests.thoroughness import scaled

SECRET = "hunter2"
INSTALLED = installed_plugs()
OPEN = [
    "OTEL_PYTHON_DISTRO",
    "OTEL_PYTHON_CONFIGURATOR",
    "OTEL_METRICS_EXPORTER",
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
    "OTEL_EXPORTER_PRW_TYPO",
    "PYTHONPATH",
    *(variable(name) for name, row in rows().items() if not row.secret),
]
PLAUSIBLE = [
    "0",
    "-1",
    "true",
    "http://127.0.0.1:9/",
    "a=b,c=%20",
    "/etc/passwd",
    "prometheus_remote_write, none",
    "otlp",
]
anything = st.text(st.characters(exclude_characters="\0")) | st.sampled_from(PLAUSIBLE)  # surrogates as well
secrets = st.sampled_from([SECRET, f"a={SECRET}", f"{SECRET}\n", f'"{SECRET}"', f"b@d:{SECRET}/"])
urls = st.sampled_from([f"http://me:{SECRET}@host/?key={SECRET}", f"https://{SECRET}@host:1", f"//me:{SECRET}@host"])
hidden = st.fixed_dictionaries(
    {},
    optional={
        variable(name): urls if row.type in (URL, PROXIES) else secrets for name, row in rows().items() if row.secret
    },
)


@settings(max_examples=scaled(150), deadline=None)
@given(st.dictionaries(st.sampled_from(OPEN), anything, max_size=8), hidden)
def test_check_copes_with_it(open_variables, hidden_variables):
    environ = {**open_variables, **hidden_variables}
    given_settings = configuration.configuration({}, environ)
    attributes = {"service.name": environ.get("OTEL_SERVICE_NAME", "")}
    labels = target_identity.target_of(attributes, given_settings.settings)
    findings = [
        *launcher_choice.findings(INSTALLED, environ, chosen_exporters, has_file=False),
        *kubernetes.findings(environ, is_mounted=False),
        *kubernetes.findings(environ, is_mounted=True),
        *configuration.findings(given_settings, environ),
        *target_identity.findings(labels, attributes, Settings(), environ),
    ]
    report = TextReport(colour=False)
    text = "".join(map(report.lines, findings))
    assert all(line.startswith("  ") and line.isprintable() for line in text.splitlines())
    assert text.encode()
    assert SECRET not in text + str(document(findings))
    assert all(bool(finding.cure) is (finding.level is not Level.OK) for finding in findings)
