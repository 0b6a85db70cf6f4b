"""What is written to a server can be asked for at once, whichever server it is."""

import time
import uuid

import pytest
import snappy
import urllib3

from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


@pytest.fixture(params=["prometheus_stable", "prometheus_current", "victoria_metrics"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def job():
    return f"test-{uuid.uuid4()}"


def test_the_last_value_is_the_answer(server, job):
    now = time.time()
    _write(server, job, {now - 2: 8, now - 1: 9, now: 10})
    assert server.value(f'requests_total{{job="{job}"}}') == 10
    assert server.value(f'requests_total{{job="{job}"}}', at=now - 1) == 9
    assert server.series(f'{{job="{job}"}}') == [{"__name__": "requests_total", "job": job}]


def test_all_samples_are_there(server, job):
    now = time.time()
    _write(server, job, {now - 2: 8, now - 1: 9, now: 10})
    [series] = server.range_vector(f'requests_total{{job="{job}"}}[1m]')
    assert series.values == [8, 9, 10]
    [series] = server.query_range(f'requests_total{{job="{job}"}}', start=now - 2, end=now - 1)
    assert series.values == [8, 9]


def test_an_answer_can_be_waited_for(server, job):
    with pytest.raises(AssertionError, match=r"has no result after 0\.2 s"):
        server.wait_for(f'requests_total{{job="{job}"}}', timeout=0.2)
    _write(server, job, {time.time(): 1})
    assert [sample.value for sample in server.wait_for(f'requests_total{{job="{job}"}}')] == [1]


def test_what_was_written_survives_a_crash_of_prometheus(start_prometheus, job):
    prometheus = start_prometheus()
    _write(prometheus, job, {time.time(): 1})
    prometheus.kill()
    prometheus.start()
    assert prometheus.value(f'requests_total{{job="{job}"}}') == 1


def test_exemplars_are_kept_by_the_current_prometheus(prometheus_current, job):
    now = time.time()
    _write(prometheus_current, job, {now: 1}, trace_id="abc")
    [found] = prometheus_current.query_exemplars(f'requests_total{{job="{job}"}}', start=now - 1, end=now + 1)
    assert [exemplar["labels"] for exemplar in found["exemplars"]] == [{"trace_id": "abc"}]


def _write(server, job, values, trace_id=None):
    """Sends one series with protocol 1.0; values by time in seconds."""
    message = write_v1_pb2.WriteRequest()
    series = message.timeseries.add()
    series.labels.add(name="__name__", value="requests_total")
    series.labels.add(name="job", value=job)
    for at, value in values.items():
        series.samples.add(timestamp=int(at * 1000), value=value)
    if trace_id:
        exemplar = series.exemplars.add(timestamp=int(max(values) * 1000), value=1)
        exemplar.labels.add(name="trace_id", value=trace_id)
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        body = snappy.compress(message.SerializeToString())
        response = pool.request("POST", server.write_url, body=body, headers=HEADERS)
    assert response.status == 204, response.data
