"""What waits survives the end of the process, however it comes, and is delivered once by the next."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections import deque

import pytest

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.delivery.durable import DurableBacklog
from opentelemetry.exporter.prometheus_remote_write.model.request import Request
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.collected import NOW, collected, counter, point

URL = "http://receiver/api/v1/write"
KILLED = """
import os, signal, sys
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from tests.collected import collected, counter, point
exporter = PrometheusRemoteWriteMetricsExporter(endpoint=sys.argv[1], buffer_directory=sys.argv[2])
exporter.export(collected(counter(point(1.0)), resource={"service.name": "shop"}), timeout_millis=300)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "buffer"


@pytest.fixture
def receiver():
    script = deque()
    with Receiver(answers=lambda _: script.popleft() if script else None) as receiver:
        receiver.script = script
        yield receiver


def request(body=b"body"):
    return Request(body, "2.0", 3, 0, 1, 7, 2)


def backlog(folder, url=URL, **bounds):
    return DurableBacklog(str(folder), url, **{"max_bytes": 1 << 20, **bounds})


def away(receiver):
    receiver.script.extend([ScriptedAnswer(503)] * 100)


def exporter(receiver, folder, **settings):
    return PrometheusRemoteWriteMetricsExporter(
        endpoint=receiver.url, buffer_directory=str(folder), **{"disable_zero_samples": True, **settings}
    )


def export(exporter, value, at=NOW):
    exporter.export(collected(counter(point(value, at=at)), resource={"service.name": "shop"}), timeout_millis=300)


def test_the_next_process_takes_over_what_one_has_left(folder):
    first = backlog(folder)
    first.mirror([(5.0, request())])
    first.close()
    second = backlog(folder)
    [left] = second.take_over()
    assert left.request._replace(batch=7) == request()
    assert left.request.batch < -1
    assert left.age >= 5.0
    second.mirror([])
    assert list(folder.iterdir()) == []


def test_a_process_that_lives_keeps_its_own(folder):
    first = backlog(folder)
    first.mirror([(0.0, request())])
    assert backlog(folder).take_over() == []


def test_what_is_not_delivered_by_who_took_it_over_is_left_again(folder):
    first = backlog(folder)
    first.mirror([(0.0, request(b"a")), (0.0, request(b"b"))])
    first.close()
    second = backlog(folder)
    _, other = second.take_over()
    second.mirror([(other.age, other.request)])
    second.close()
    [left] = backlog(folder).take_over()
    assert left.request.body == other.request.body


def test_what_waits_for_one_receiver_is_never_taken_for_another(folder):
    first = backlog(folder)
    first.mirror([(0.0, request())])
    first.close()
    assert backlog(folder, "http://other/api/v1/write").take_over() == []


def test_nothing_is_written_while_nothing_waits(folder):
    durable = backlog(folder)
    assert durable.take_over() == []
    durable.mirror([])
    durable.close()
    assert not folder.exists()


def test_files_are_for_their_owner_alone_and_hold_no_address(folder):
    backlog(folder, "http://user:secret@host/write").mirror([(0.0, request())])
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"secret" not in path.read_bytes()
        assert "secret" not in path.name


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda folder: folder.write_text("a file"), id="a file in its place"),
        pytest.param(lambda folder: (folder.mkdir(), folder.chmod(0o777)), id="everybody may write"),
        pytest.param(lambda folder: folder.symlink_to("/tmp"), id="a link"),
    ],
)
def test_a_folder_that_cannot_be_trusted_costs_one_warning(folder, caplog, spoil):
    spoil(folder)
    durable = backlog(folder)
    assert durable.take_over() == []
    durable.mirror([(0.0, request())])
    durable.mirror([(0.0, request())])
    assert not durable.is_usable
    assert len([record for record in caplog.records if "in memory alone" in record.getMessage()]) == 1


def test_a_corrupt_file_is_set_aside(folder, caplog):
    first = backlog(folder)
    first.mirror([(0.0, request())])
    first.close()
    [path] = folder.glob("*.db")
    path.write_bytes(b"no database" * 1000)
    for wal in folder.glob("*.db-*"):
        wal.unlink()
    assert backlog(folder).take_over() == []
    assert [path.with_suffix(".corrupt")] == list(folder.glob("*.corrupt"))
    assert "set aside" in caplog.text


def test_the_folder_is_bounded_as_a_whole(folder, caplog):
    for _ in range(6):
        one = backlog(folder, max_bytes=50_000)
        one.mirror([(0.0, request(os.urandom(40_000)))])
        one.close()
    assert "bytes already" in caplog.text
    assert sum(path.stat().st_size for path in folder.iterdir()) < 400_000


def test_without_sqlite_memory_takes_over(folder, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    durable = backlog(folder)
    durable.mirror([(0.0, request())])
    assert not durable.is_usable
    assert "in memory alone" in caplog.text


# --- with an exporter ---


def test_a_process_that_ends_in_an_outage_leaves_its_metrics_to_the_next(receiver, folder, caplog):
    away(receiver)
    first = exporter(receiver, folder)
    export(first, 1.0)
    first.shutdown()
    assert "are kept in" in caplog.text
    receiver.script.clear()
    second = exporter(receiver, folder)
    export(second, 2.0, at=NOW + 1000)
    second.shutdown()
    assert [sample.value for sample in receiver.series("hits_total")[0].samples] == [1.0, 2.0]
    assert list(folder.iterdir()) == []
    assert not receiver.rejected or all(refused.status == 503 for refused in receiver.rejected)


def test_a_process_that_is_killed_leaves_them_too(receiver, folder):
    away(receiver)
    words = [sys.executable, "-c", KILLED, receiver.url, str(folder)]
    assert subprocess.run(words, check=False, timeout=60).returncode == -9
    receiver.script.clear()
    second = exporter(receiver, folder)
    second.export(collected(resource={"service.name": "shop"}))
    second.shutdown()
    assert receiver.values("hits_total")[-1] == 1.0


def test_what_a_process_has_left_and_is_too_old_is_counted_and_not_sent(receiver, folder, caplog):
    away(receiver)
    first = exporter(receiver, folder)
    export(first, 1.0)
    first.shutdown()
    receiver.script.clear()
    second = exporter(receiver, folder, max_buffered_age=1)
    export(second, 2.0, at=NOW + 1000)
    second.shutdown()
    assert receiver.values("hits_total") == [2.0]
    assert "1 samples dropped (too old)" in caplog.text
    assert list(folder.iterdir()) == []


def test_what_waits_is_on_disk_before_the_export_returns(receiver, folder):
    away(receiver)
    one = exporter(receiver, folder)
    export(one, 1.0)
    [path] = folder.glob("*.db")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT sum(samples) FROM requests").fetchone() == (1,)
    one.shutdown()
