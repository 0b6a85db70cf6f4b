"""A celery worker whose pool processes leave by os._exit, each after its first task."""

from __future__ import annotations

import signal

from tests.end_to_end.fleet import PINNED, POD, Program, assert_one_writer_each, instances, total

SEND = "import tasks; [tasks.count.delay(amount) for amount in (1, 2, 3)]"


def test_celery(receiver, tmp_path):
    broker = tmp_path / "broker"
    broker.mkdir()
    command = ("celery", "--app", "tasks", "worker", "--pool", "prefork", "--concurrency", "2")
    flags = ("--max-tasks-per-child", "1", "--without-gossip", "--without-mingle", "--without-heartbeat")
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, "BROKER_FOLDER": str(broker), **PINNED}
    with Program("python", "-c", SEND, folder=tmp_path, OTEL_SDK_DISABLED="true", **variables) as client:
        assert client.end() == 0, client.log.read_text()
    with Program(*command, *flags, folder=tmp_path, **variables) as program:
        receiver.wait_for(lambda receiver: total(receiver, "work_total", at="task") == 6, 30)
        assert program.end(signal.SIGTERM) == 0
    assert total(receiver, "work_total", at="task") == 6
    assert_one_writer_each(receiver)
    assert instances(receiver, "work_total") <= {POD, f"{POD}-1", f"{POD}-2"}
    assert "remote_write" not in program.log.read_text()
