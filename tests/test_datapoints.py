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

CASES = json.loads((Path(__file__).parent / "vectors" / "datapoints.json").read_text(encoding="utf-8"))["cases"]
PROTOCOL = "1.0"

# The strict receiver refuses times like those of 1970, and in protocol 1.0 names in UTF-8. Prometheus takes both, and
# both were recorded.
RECORDED_ALL_THE_SAME = ("is not in milliseconds since the epoch", "protocol 1.0 does not allow the")


def decoded(refused):
    assert any(rule in refused.reason for rule in RECORDED_ALL_THE_SAME), refused.reason
    return decode(PROTOCOL, decompress(refused.body, limit=1 << 20))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_a_request_becomes_the_recorded_series(case):
    try:
        settings = keywords(case, PROTOCOL)
        data = metrics_data(case["otlp"])
        pushed = expected(case, PROTOCOL)
    except (Inexpressible, NotComparable) as reason:
        pytest.skip(str(reason))

    with Receiver() as receiver:  # one for each case: the cases have the same series at the same time
        exporter = PrometheusRemoteWriteMetricsExporter(endpoint=receiver.url, **settings)
        exporter.export(data)
        exporter.shutdown()

    messages = receiver.received + list(map(decoded, receiver.rejected))
    assert received(messages, ignored_labels(case)) == pushed
