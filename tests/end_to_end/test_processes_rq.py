"""RQ's default worker, which runs each job in a fork that leaves by os._exit; its workers are rows of hosts/."""

from __future__ import annotations

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.end_to_end.fleet import PINNED, Program


def test_a_job_is_done_before_its_metrics_wait_for_a_receiver_that_hangs(tmp_path, redis):
    with Receiver(answers=lambda _: ScriptedAnswer(delay=60)) as receiver:
        variables = {
            "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "2000",
            "REDIS_PORT": str(redis.port),
            **PINNED,
        }
        with Program("python", "-m", "rq_client", 3, folder=tmp_path, OTEL_SDK_DISABLED="true", **variables) as client:
            assert client.end() == 0, client.log.read_text()
        command = ("python", "-m", "rq_worker", "Worker", "until it is empty")
        with Program(*command, folder=tmp_path, **variables) as program:
            assert program.end(timeout=60) == 0, program.log.read_text()
    log = program.log.read_text()
    assert log.count("Job OK") == 2  # the third one fails
    assert "Metrics are lost" in log
