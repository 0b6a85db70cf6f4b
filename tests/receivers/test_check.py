"""`otel-prw check` against every receiver that is built here."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.prometheus_remote_write.diagnose.check_series import NAME
from tests.diagnose.checking import check
from tests.receivers.receivers import RECEIVERS


@pytest.mark.parametrize("server", RECEIVERS, indirect=True)
def test_series_that_the_check_sends_arrives(server, tmp_path):
    headers = ",".join(f"{name}={value}" for name, value in server.write_settings.get("headers", {}).items())
    done = check(tmp_path, server.write_url, "--send", OTEL_EXPORTER_PRW_HEADERS=headers, OTEL_SERVICE_NAME="checked")
    assert (done.status, done.failures) == (0, set())
    counted = server.query(f'count_over_time({NAME}{{job="checked"}}[1m])')
    assert len(counted) == 1


@pytest.mark.parametrize("server", ["cortex"], indirect=True)
def test_tenant_that_is_missing_is_told(server, tmp_path):
    done = check(tmp_path, server.write_url, "--send")
    assert (done.status, done.failures) == (1, {"credentials"})
    assert "no org id" in done.text("credentials")
    assert "(a tenant?)" in done.cure("credentials")
