from __future__ import annotations

import json
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from tests.otlp_vectors import Inexpressible, metrics_data
from tests.pushed_series import received
from tests.recorded_series import NotComparable, expected, ignored_labels, keywords

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "datapoints.json").read_text(encoding="utf-8"))["cases"]
# The strict receiver refuses times like those of 1970, and in protocol 1.0 names in UTF-8. Prometheus takes both, and
# both were recorded.
RECORDED_ALL_THE_SAME = ("is not in milliseconds since the epoch", "protocol 1.0 does not allow the")


def decoded(refused, protocol):
    assert any(rule in refused.reason for rule in RECORDED_ALL_THE_SAME), refused.reason
    return decode(protocol, decompress(refused.body, limit=1 << 20))


@pytest.fixture(autouse=True)
def locks_of_its_own(monkeypatch, tmp_path):
    """What was recorded years ago is no later than what another test has sent under the same instance id."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def in_each_protocol(case):
    # Custom buckets exist in 2.0 only.
    protocols = ("2.0",) if case["settings"].get("NHCB") else ("1.0", "2.0")
    return [pytest.param(case, protocol, id=f"{case['id']}-{protocol}") for protocol in protocols]


@pytest.mark.parametrize(("case", "protocol"), [each for case in CASES for each in in_each_protocol(case)])
def test_a_request_becomes_the_recorded_series(case, protocol):
    try:
        settings = keywords(case)
        data = metrics_data(case["otlp"])
        pushed = expected(case, protocol)
    except (Inexpressible, NotComparable) as reason:
        pytest.skip(str(reason))

    with Receiver() as receiver:  # one for each case: the cases have the same series at the same time
        exporter = PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, protocol=protocol, **settings)
        exporter.export(data)
        exporter.shutdown()

    messages = receiver.received + [decoded(refused, protocol) for refused in receiver.rejected]
    assert received(messages, ignored_labels(case)) == pushed
