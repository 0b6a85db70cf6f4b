"""RQ's workers: the default one runs each job in a fork that leaves by os._exit."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.end_to_end.fleet import PINNED, POD, Program, assert_one_writer_each, instances, total

COUNTED = 1 + 2 + 3 + 4  # by three jobs that succeed and one that fails


def work(kind, receiver, tmp_path, redis):
    """Let a worker do all jobs; return its log."""
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "REDIS_PORT": str(redis.port), **PINNED}
    with Program("python", "-m", "rq_client", folder=tmp_path, OTEL_SDK_DISABLED="true", **variables) as client:
        assert client.end() == 0, client.log.read_text()
    with Program("python", "-m", "rq_worker", kind, folder=tmp_path, **variables) as program:
        assert program.end(timeout=60) == 0, program.log.read_text()
        return program.log.read_text()


@pytest.mark.parametrize("kind", ["Worker", "SimpleWorker"])
def test_every_job_is_counted_once(receiver, tmp_path, redis, kind):
    log = work(kind, receiver, tmp_path, redis)
    assert total(receiver, "work_total", at="job") == COUNTED
    assert_one_writer_each(receiver)
    assert instances(receiver, "work_total") <= {POD, f"{POD}-1"}
    assert "Metrics" not in log


def test_a_job_is_done_before_its_metrics_wait_for_a_receiver_that_hangs(tmp_path, redis):
    with Receiver(answers=lambda _: ScriptedAnswer(delay=60)) as receiver:
        log = work("Worker", receiver, tmp_path, redis)
    assert log.count("Job OK") == 3
    assert "Metrics are lost" in log
