"""What exporters tell of themselves is what the receiver has counted, to the last data point, whatever happens."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter

import pytest
import urllib3

from opentelemetry.exporter.prometheus_remote_write.configuration.sdk_variables import SELF_METRICS
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from tests.application import run
from tests.receivers.between import OF_THE_CONNECTION, Between
from tests.transport.scripted_server import answer, raw

JOB = "counted"
POINTS = "otel.sdk.exporter.metric_data_point"


class Way(Between):
    """To the receiver, with faults: closed for some requests, too small for others, and some answers are lost.

    Args:
        url: Of the receiver.
        closed: The numbers of requests that are not passed on.
        unanswered: The numbers of those that are, but whose answer does not come back.
        most: How many samples a request may have.
    """

    def __init__(self, url, *, closed=(), unanswered=(), most=1000):
        super().__init__(url)
        self._closed_for, self._unanswered, self._most = closed, unanswered, most
        self._number = 0
        self._at_once = threading.Lock()

    def _pass_on(self, exchange):
        with self._at_once:
            self._number += 1
            number = self._number
        if number in self._closed_for:
            return raw(b"")(exchange)
        protocol = "2.0" if "proto=" in exchange.request.headers["content-type"] else "1.0"
        series = decode(protocol, decompress(exchange.request.body, 1 << 30)).series
        if sum(len(each.samples) for each in series) > self._most:
            return answer(413, {}, b"too large")(exchange)
        if number in self._unanswered:
            headers = {name: text for name, text in exchange.request.headers.items() if name not in OF_THE_CONNECTION}
            urllib3.request("POST", self._url, body=exchange.request.body, headers=headers, retries=False)
            return raw(b"")(exchange)
        return super()._pass_on(exchange)


FAULTS = {
    "an outage that is too long for the buffer": ({"closed": range(3, 9)}, {"max_buffered_bytes": 1500}),
    "lost answers": ({"unanswered": [2, 5, 9]}, {}),
    "all at once": (
        {"closed": range(5, 9), "unanswered": [3, 12], "most": 12},
        {"max_series": 30, "max_samples_per_send": 25},
    ),
}


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
@pytest.mark.parametrize(
    ("kind", "faults"),
    [*(("strict", faults) for faults in FAULTS), ("prometheus", "lost answers"), ("prometheus", "all at once")],
)
def test_sums_are_exact_over_faults_partial_writes_and_forks(request, tmp_path, kind, faults, protocol):
    """Of each export one point is out of order, one is a delta, and in the middle the process forks."""
    way, settings = FAULTS[faults]
    told, stored = (in_prometheus if kind == "prometheus" else in_strict_receiver)(
        request, tmp_path, way, {**settings, "protocol": protocol}
    )
    exported = Counter()
    inflight = points = 0
    for process in told:
        exported.update(process[f"{POINTS}.exported"])
        inflight += sum(process[f"{POINTS}.inflight"].values())
        points += process["exported"]
    assert len(told) == 2
    assert exported.total() + inflight == points
    assert exported[""] == stored, exported
    assert exported["untranslatable"] == points / 42
    assert bool(exported["limit"]) == ("max_series" in settings)
    assert bool(exported["buffer_full"]) == ("max_buffered_bytes" in settings)


def in_prometheus(request, tmp_path, way, settings):
    prometheus = request.getfixturevalue("prometheus_current")
    before = samples(prometheus)
    told = run_counted(tmp_path, prometheus.write_url, way, settings)
    return told, samples(prometheus) - before


def samples(prometheus):
    return sum(each.value for each in prometheus.query(f'sum(count_over_time({{job="{JOB}"}}[1h]))'))


def in_strict_receiver(_request, tmp_path, way, settings):
    with Receiver() as receiver:
        told = run_counted(tmp_path, receiver.url, way, settings)
        kept = {
            (series.labels, sample.timestamp)
            for each in receiver.received
            for series in each.series
            for sample in series.samples
        }
        return told, len(kept)


def run_counted(tmp_path, url, way, settings):
    with Way(url, **way) as between:
        ended = run(
            "python",
            "-m",
            "tests.end_to_end.counted",
            f"{between.url}/api/v1/write",
            json.dumps(settings),
            cwd=tmp_path,
            PYTHONPATH=":".join(sys.path),
            **{SELF_METRICS: "true"},
        )
    assert ended.status == 0, ended.errors
    return [json.loads(line) for line in ended.output.splitlines()]
