"""What waits survives the end of the process, however it comes, and is delivered once by the next."""

from __future__ import annotations

import itertools
import os
import re
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import closing
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics.export import MetricExportResult

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.exporter.prometheus_remote_write.delivery.disk_buffer.buffer_file import take_over
from opentelemetry.exporter.prometheus_remote_write.delivery.disk_buffer.durable import DurableBacklog
from opentelemetry.exporter.prometheus_remote_write.model.request import Request
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver, ScriptedAnswer
from tests.collected import NOW, collected, counter, point
from tests.servers.strace import calls_with_paths
from tests.soak.disk import Disk

URL = "http://receiver/api/v1/write"
KILLED = """
import os, signal, sys
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from tests.collected import collected, counter, point
exporter = PrometheusRemoteWriteMetricsExporter(
    endpoint=sys.argv[1], buffer_directory=sys.argv[2], min_backoff=120_000, max_backoff=120_000
)
exporter.export(collected(counter(point(1.0)), resource={"service.name": "shop"}), timeout_millis=60_000)
os.kill(os.getpid(), signal.SIGKILL)
"""
FORKED = """
import os, sys
from opentelemetry.exporter.prometheus_remote_write.delivery.disk_buffer.durable import DurableBacklog
from opentelemetry.exporter.prometheus_remote_write.model.request import Request
of_parent = DurableBacklog(sys.argv[1], "http://receiver/api/v1/write", 1 << 20)
of_parent.mirror([(0.0, Request(b"of the parent", "2.0", 1, 0, 0))])
child = os.fork()
if not child:
    of_parent.close()
    of_child = DurableBacklog(sys.argv[1], "http://receiver/api/v1/write", 1 << 20)
    assert of_child.take_over() == []
    of_child.mirror([(0.0, Request(b"of the child", "2.0", 1, 0, 0))])
    of_child.close()
    sys.exit()
_, status = os.waitpid(child, 0)
of_parent.close()
sys.exit(status)
"""
CLOSING_ALL = """
import os, sys
from pathlib import Path
from opentelemetry.exporter.prometheus_remote_write.delivery.disk_buffer.durable import DurableBacklog
from opentelemetry.exporter.prometheus_remote_write.model.request import Request
durable = DurableBacklog(sys.argv[1], "http://receiver/api/v1/write", 1 << 20)
before, after = (Request(body, "2.0", 1, 0, 0) for body in (b"before", b"after"))
durable.mirror([(0.0, before)])
os.closerange(3, 256)
Path(sys.argv[2]).mkdir()
files = [(Path(sys.argv[2]) / str(number)).open("w", buffering=1) for number in range(10)]
for file in files:
    file.write("precious")
durable.mirror([(0.0, before), (0.0, after)])
other = DurableBacklog(sys.argv[1], "http://receiver/api/v1/write", 1 << 20)
assert other.take_over() == []
durable.close()
for file in files:
    file.close()
"""
FORKED_WHILE_WRITING = """
import os, sys, threading, time
from opentelemetry.exporter.prometheus_remote_write.delivery.disk_buffer.durable import DurableBacklog
from opentelemetry.exporter.prometheus_remote_write.model.request import Request
def backlog():
    return DurableBacklog(sys.argv[1], "http://receiver/api/v1/write", 1 << 20)
writing = backlog()
ends = threading.Event()
written = [0]
def write():
    while not ends.is_set():
        for waiting in [(0.0, Request(b"x" * 1000, "2.0", 1, 0, 0))], []:
            writing.mirror(waiting)
            written[0] += 1
writer = threading.Thread(target=write)
writer.start()
failed, hung = 0, -1
for _ in range(100):
    before, under_way = time.monotonic(), written[0]
    child = os.fork()
    waited = time.monotonic() - before
    if not child:
        own = backlog()
        own.mirror([(0.0, Request(b"own", "2.0", 1, 0, 0))])
        own.mirror([])
        os._exit(0 if own.is_usable else 1)
    if waited >= 1:  # on a busy disk a fork does not wait for longer, and those after it do not wait for the same write
        hung = under_way
    failed += bool(os.waitpid(child, 0)[1]) and under_way != hung
ends.set()
writer.join()
sys.exit(failed)
"""
EXPORTING = """
import os, sys
from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from tests.collected import NOW, collected, counter, point
from tests.servers.strace import MARK
exporter = PrometheusRemoteWriteMetricsExporter(
    endpoint=sys.argv[1], buffer_directory=sys.argv[2], min_backoff=120_000, max_backoff=120_000
)
def export(number):
    exported = collected(counter(point(float(number), at=NOW + 1000 * number)), resource={"service.name": "shop"})
    exporter.export(exported, timeout_millis=60_000)
export(1)
os.access(MARK, 0)
for number in range(2, 6):
    export(number)
os.access(MARK, 0)
exporter.shutdown()
os.access(MARK, 0)
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


_made = []


def backlog(folder, url=URL, **bounds):
    made = DurableBacklog(str(folder), url, **{"max_bytes": 1 << 20, **bounds})
    _made.append(made)
    return made


@pytest.fixture(autouse=True)
def nothing_stays_open():
    yield
    while _made:
        _made.pop().close()


def away(receiver):
    receiver.script.extend([ScriptedAnswer(503)] * 100)


def exporter(receiver, folder, **settings):
    return PrometheusRemoteWriteMetricsExporter(
        endpoint=receiver.url,
        buffer_directory=str(folder),
        **{"disable_zero_samples": True, "min_backoff": 120_000, "max_backoff": 120_000, **settings},
    )


def export(exporter, value, at=NOW):
    exporter.export(collected(counter(point(value, at=at)), resource={"service.name": "shop"}), timeout_millis=60_000)


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


def test_what_was_taken_before_descriptors_ran_out_is_left_to_others(folder):
    for number in range(2):
        left_by("a", folder, b"%d" % number)
    heir, other = backlog(folder), backlog(folder)
    heir.writer = "a"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_descriptor = os.dup(0)
    os.close(next_descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_descriptor + 1, hard))  # for one lock
    try:
        assert heir.take_over() == []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [left.request.body for left in other.take_over()] == [b"0", b"1"]


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
    assert len([record for record in caplog.records if "only in memory" in record.getMessage()]) == 1


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
    assert len([*folder.glob("*.db")]) == 4
    assert sum(path.stat().st_size for path in folder.iterdir()) < 4 * 50_000 + 8192


def test_without_sqlite_memory_takes_over(folder, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    durable = backlog(folder)
    durable.mirror([(0.0, request())])
    assert not durable.is_usable
    assert "only in memory" in caplog.text


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param("ALTER TABLE requests RENAME COLUMN points TO others", id="another format"),
        pytest.param("ALTER TABLE requests ADD COLUMN others", id="a newer format"),
        pytest.param("UPDATE requests SET body = NULL", id="no body"),
        pytest.param("UPDATE requests SET samples = 'many'", id="no number"),
        pytest.param("UPDATE requests SET protocol = '3.0'", id="an unknown protocol"),
        pytest.param("UPDATE requests SET protocol = CAST(x'ff5af0' AS TEXT)", id="a text that is none"),
    ],
)
def test_a_file_of_another_kind_costs_nothing_but_itself(folder, caplog, spoil):
    first = backlog(folder)
    first.mirror([(0.0, request())])
    first.close()
    [path] = folder.glob("*.db")
    with sqlite3.connect(path) as connection:
        connection.execute(spoil)
    connection.close()
    sound = backlog(folder)
    sound.mirror([(0.0, request(b"sound"))])
    sound.close()
    second = backlog(folder)
    assert b"sound" in [left.request.body for left in second.take_over()]
    assert second.is_usable
    assert "only in memory" not in caplog.text


@pytest.mark.parametrize("name", ["x.db", "x.lock"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.mkdir(), id="a folder"),
        pytest.param(os.mkfifo, id="a pipe"),
        pytest.param(lambda path: path.symlink_to("/etc/passwd"), id="a link"),
    ],
)
def test_what_others_put_into_the_folder_costs_nothing_else(folder, name, make):
    first = backlog(folder)
    first.mirror([(0.0, request())])
    first.close()
    [path] = folder.glob("*.db")
    prefix = path.name[: path.name.rindex("-") + 1]
    (folder / f"{prefix}x.db").touch()
    (folder / f"{prefix}{name}").unlink(missing_ok=True)
    make(folder / f"{prefix}{name}")
    second = backlog(folder)
    assert len(second.take_over()) == 1
    assert second.is_usable


def test_a_file_of_another_user_is_not_sent(folder):
    if os.geteuid():
        pytest.skip("only root can give files away")
    first = backlog(folder)
    first.mirror([(0.0, request())])
    first.close()
    [path] = folder.glob("*.db")
    os.chown(path, 12345, 12345)
    assert backlog(folder).take_over() == []


@pytest.mark.parametrize(("mode", "is_usable"), [(0o1777, True), (0o777, False), (0o755, False)])
def test_a_folder_of_root_is_used_where_it_is_as_safe_as_tmp(mode, is_usable):
    if os.geteuid():
        pytest.skip("only root can make one")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(mode)
        os.seteuid(65534)
        try:
            durable = backlog(name)
            durable.mirror([(0.0, request())])
            durable.close()
        finally:
            os.seteuid(0)
        assert durable.is_usable is is_usable


OURS, ANOTHERS = os.getegid(), 54321


@pytest.mark.parametrize(
    ("mode", "group", "is_usable"),
    [
        pytest.param(0o700, OURS, True, id="of this user alone"),
        pytest.param(0o755, ANOTHERS, True, id="others may read"),
        pytest.param(0o775, OURS, False, id="its group may write"),
        pytest.param(0o770, ANOTHERS, False, id="another group may write"),
        pytest.param(0o2775, OURS, True, id="a volume with fsGroup"),
        pytest.param(0o2770, OURS, True, id="a folder in a volume with fsGroup, after the pod was restarted"),
        pytest.param(0o2775, ANOTHERS, False, id="a volume with another fsGroup"),
        pytest.param(0o2777, OURS, False, id="an emptyDir with fsGroup"),
        pytest.param(0o777, OURS, False, id="an emptyDir"),
        pytest.param(0o1777, OURS, True, id="sticky"),
        pytest.param(0o1770, ANOTHERS, True, id="sticky, of another group"),
    ],
)
def test_a_folder_is_used_where_nobody_else_may_change_it_or_is_meant_to(folder, caplog, mode, group, is_usable):
    if group == ANOTHERS and os.geteuid():
        pytest.skip("only root can give it to another group")
    folder.mkdir()
    os.chown(folder, -1, group)
    folder.chmod(mode)
    durable = backlog(folder)
    durable.mirror([(0.0, request())])
    durable.close()
    assert durable.is_usable is is_usable
    assert ("change it" in caplog.text) is not is_usable
    assert bool([*folder.iterdir()]) is is_usable


def test_a_folder_in_one_that_is_open_to_everybody_is_used(folder):
    folder.mkdir()
    folder.chmod(0o2777)
    durable = backlog(folder / "app")
    durable.mirror([(0.0, request())])
    durable.close()
    assert durable.is_usable
    assert not (folder / "app").stat().st_mode & 0o022


def test_a_file_that_another_process_has_just_delivered_is_not_missed(folder):
    folder.mkdir()
    assert take_over(folder / "prw-x-y.db") is None
    assert list(folder.iterdir()) == []


def test_a_path_that_the_system_does_not_take_raises_nothing(tmp_path, caplog):
    durable = backlog(tmp_path / ("x" * 300))
    assert durable.take_over() == []
    durable.mirror([(0.0, request())])
    assert "only in memory" in caplog.text


def test_a_folder_that_has_room_again_is_used_again(folder, caplog):
    folder.mkdir()
    filling = folder / "prw-other.db"
    filling.write_bytes(b"x" * 500_000)
    durable = backlog(folder, max_bytes=50_000)
    kept = request()
    durable.mirror([(0.0, kept)])
    durable.mirror([(0.0, kept)])
    assert not durable.holds(kept)
    assert len([record for record in caplog.records if "only in memory" in record.getMessage()]) == 1
    filling.unlink()
    durable.mirror([(0.0, kept)])
    assert durable.is_usable
    assert durable.holds(kept)


def test_what_is_more_than_a_process_may_keep_is_left_to_its_next_look(folder):
    bodies = [os.urandom(40_000) for _ in range(2)]
    for moment, body in enumerate(bodies):
        one = backlog(folder, max_bytes=50_000)
        one.mirror([(0.0, request(body))])
        one.close()
        [path] = [path for path in folder.glob("*.db") if body[:100] in path.read_bytes()]
        os.utime(path, (moment, moment))
    durable = backlog(folder, max_bytes=50_000)
    for body in bodies:
        assert [left.request.body for left in durable.take_over()] == [body]
        durable.mirror([])
    assert list(folder.iterdir()) == []


def test_a_relative_folder_stays_where_it_was_when_the_application_changes_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    durable = backlog("buffer")
    kept = request()
    durable.mirror([(0.0, kept)])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    durable.mirror([(0.0, kept)])
    durable.close()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert len(backlog(tmp_path / "buffer").take_over()) == 1


def test_what_is_delivered_while_the_folder_is_full_is_not_left_to_be_sent_again(folder):
    durable = backlog(folder, max_bytes=50_000)
    first, second = request(b"first"), request(b"second")
    durable.mirror([(0.0, first)])
    filling = folder / "prw-other.db"
    filling.write_bytes(b"x" * 500_000)
    durable.mirror([(0.0, first), (0.0, second)])
    durable.mirror([(0.0, second)])
    durable.close()
    assert backlog(folder).take_over() == []


def test_a_folder_that_is_removed_meanwhile_is_made_anew(folder):
    durable = backlog(folder)
    first, second = request(b"first"), request(b"second")
    durable.mirror([(0.0, first)])
    shutil.rmtree(folder)
    durable.mirror([(0.0, first), (0.0, second)])
    durable.close()
    assert [left.request.body for left in backlog(folder).take_over()] == [b"first", b"second"]


def test_a_disk_that_fails_again_and_again_costs_no_descriptor(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    durable = backlog(folder)
    numbers = []
    for _ in range(3):
        durable.mirror([(0.0, request())])
        with Path(os.devnull).open() as lowest:
            numbers.append(lowest.fileno())
    assert len(set(numbers)) == 1
    assert list(folder.iterdir()) == []


def test_a_forked_child_leaves_its_parents_file_alone(folder):
    durable = backlog(folder)
    first, second = request(b"first"), request(b"second")
    durable.mirror([(0.0, first)])
    words = [sys.executable, "-W", "ignore", "-c", FORKED, str(folder)]
    assert subprocess.run(words, check=False, timeout=60).returncode == 0
    durable.mirror([(0.0, first), (0.0, second)])
    durable.close()
    bodies = [left.request.body for left in backlog(folder).take_over()]
    assert sorted(bodies) == [b"first", b"of the child", b"of the parent", b"second"]


def test_an_application_that_closes_all_descriptors_loses_nothing(folder, tmp_path):
    """A daemon does so, and the next files that it opens have the same numbers."""
    precious = tmp_path / "precious"
    words = [sys.executable, "-W", "ignore", "-c", CLOSING_ALL, str(folder), str(precious)]
    assert subprocess.run(words, check=False, timeout=60).returncode == 0
    assert {path.read_text() for path in precious.iterdir()} == {"precious"}
    assert bodies_of(backlog(folder).take_over()) == [b"before", b"after"]


def test_what_another_process_has_taken_since_its_lock_was_closed_is_left_to_it(folder):
    durable = backlog(folder)
    before, after = request(b"before"), request(b"after")
    durable.mirror([(0.0, before)])
    for descriptor in Path("/proc/self/fd").iterdir():
        if descriptor.is_symlink() and descriptor.readlink() in folder.glob("*.lock"):
            os.close(int(descriptor.name))
    other = backlog(folder)
    with Path(os.devnull).open():  # else the other's lock has the number of the one that was closed, and is that of one
        assert bodies_of(other.take_over()) == [b"before"]
    durable.mirror([(0.0, after)])
    durable.close()
    assert bodies_of(other.take_over()) == [b"after"]


def test_a_fork_in_the_middle_of_writing_leaves_no_lock_behind(folder):
    words = [sys.executable, "-W", "ignore", "-c", FORKED_WHILE_WRITING, str(folder)]
    assert subprocess.run(words, check=False, timeout=60).returncode == 0


# --- with an exporter ---


def test_what_the_folder_has_no_room_for_is_counted_at_exit_and_the_rest_is_kept(receiver, folder, caplog):
    away(receiver)
    first = exporter(receiver, folder)
    export(first, 1.0)
    (folder / "prw-other.db").touch()
    os.truncate(folder / "prw-other.db", 1 << 40)
    export(first, 2.0, at=NOW + 1000)
    first.shutdown()
    assert "1 sample could not be delivered before exit and is kept" in caplog.text
    assert "1 sample dropped (at exit)" in caplog.text


def system_calls(receiver, folder, tmp_path):
    """Those that concern a path: of the start and the first export, of four more exports, and of the shutdown."""
    words = [sys.executable, "-c", EXPORTING, receiver.url, str(folder)]
    first, others, shutdown, _ = calls_with_paths(words, tmp_path)
    return [call for call in first if str(tmp_path) in call and not call.startswith("execve(")], others, shutdown


@pytest.mark.parametrize("exists", [False, True])
def test_a_healthy_process_looks_at_the_folder_once_and_makes_no_system_call_for_any_file_then(
    receiver, folder, tmp_path, exists
):
    if exists:
        folder.mkdir(mode=0o700)
    first, others, shutdown = system_calls(receiver, folder, tmp_path)
    assert others == shutdown == []
    assert 1 <= len(first) <= 1 + 8 * exists
    assert not re.search("CREAT|WRONLY|RDWR|mkdir|unlink|rename|write|sync|lock", "".join(first)), first
    assert [*folder.parent.glob("buffer/*")] == []
    assert receiver.values("hits_total") == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_what_waits_is_on_the_disk_itself_before_the_export_returns(receiver, folder, tmp_path):
    """A file survives a power cut when it is synchronised, and found again when its folder and the one above are."""
    away(receiver)
    first, others, _ = system_calls(receiver, folder / "of" / "shop", tmp_path)
    for above in (folder.parent, folder, folder / "of"):
        assert any(re.match(rf"f(data)?sync\(\d+<{above}>", call) for call in first), above
    for calls in (first, others):
        written, synchronised = (
            max(number for number, call in enumerate(calls) if re.match(rf"{name}\(\d+<{folder}/.*\.db-wal>", call))
            for name in ("pwrite64", "f(?:data)?sync")
        )
        assert written < synchronised


def test_a_process_that_ends_in_an_outage_leaves_its_metrics_to_the_next(receiver, folder, caplog):
    away(receiver)
    first = exporter(receiver, folder)
    export(first, 1.0)
    first.shutdown()
    assert "is kept in" in caplog.text
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
    assert "1 sample dropped (too old)" in caplog.text
    assert list(folder.iterdir()) == []


def test_what_waits_is_on_disk_before_the_export_returns(receiver, folder):
    away(receiver)
    one = exporter(receiver, folder)
    export(one, 1.0)
    [path] = folder.glob("*.db")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT sum(samples) FROM requests").fetchone() == (1,)
    one.shutdown()


def overwrite(folder):
    for path in folder.glob("*.db"):
        path.write_bytes(os.urandom(path.stat().st_size))


def replace_by_link(folder):
    shutil.rmtree(folder)
    folder.symlink_to("/etc")


def make_read_only(folder):
    for words in (["--bind", str(folder)], ["-o", "remount,bind,ro"]):
        if subprocess.run(["mount", *words, str(folder)], check=False, capture_output=True).returncode:
            pytest.skip("this user may not mount")


@pytest.fixture
def mounts_gone(folder):
    yield
    while subprocess.run(["umount", str(folder)], check=False, capture_output=True).returncode == 0:
        pass


@pytest.mark.usefixtures("mounts_gone")
@pytest.mark.parametrize(
    ("happens", "warnings"),
    [
        pytest.param(shutil.rmtree, 0, id="the folder is removed"),
        pytest.param(lambda folder: next(folder.glob("*.db")).unlink(), 0, id="the file is removed"),
        pytest.param(lambda folder: folder.chmod(0o777), 1, id="everybody may write from now on"),
        pytest.param(replace_by_link, 1, id="a link takes the folder's place"),
        pytest.param(overwrite, 1, id="the file is overwritten"),
        pytest.param(make_read_only, 1, id="the disk becomes read-only"),
    ],
)
def test_whatever_happens_in_an_outage_memory_has_it_all_and_one_warning_says_so(
    receiver, folder, caplog, happens, warnings
):
    away(receiver)
    one = exporter(receiver, folder)
    export(one, 1.0)
    happens(folder)
    for number in (2, 3, 4):
        export(one, float(number), at=NOW + 1000 * number)
    receiver.script.clear()
    export(one, 5.0, at=NOW + 5000)
    one.shutdown()
    assert receiver.values("hits_total") == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert caplog.text.count("only in memory") == warnings
    assert {record.levelname for record in caplog.records} <= {"DEBUG", "INFO", "WARNING"}


# --- in order, for each writer ---


def left_by(writer, folder, body, **bounds):
    """Have a process of a writer leave a request."""
    one = backlog(folder, **bounds)
    one.writer = writer
    one.mirror([(0.0, request(body))])
    one.close()


def as_writer(writer, folder, **bounds):
    one = backlog(folder, **bounds)
    one.writer = writer
    return one


def stored(path):
    with closing(sqlite3.connect(path)) as connection:
        return tuple(body for (body,) in connection.execute("SELECT body FROM requests ORDER BY id"))


def bodies_of(left):
    return [each.request.body for each in left]


def test_who_goes_on_with_series_knows_that_another_delivers_what_comes_before(folder):
    left_by("a", folder, b"of a")
    sibling = as_writer("b", folder)
    assert bodies_of(sibling.take_over()) == [b"of a"]
    restarted = as_writer("a", folder)
    assert restarted.take_over() == []
    assert restarted.is_behind
    sibling.mirror([])
    assert restarted.take_over() == []
    assert not restarted.is_behind


def test_nobody_takes_a_part_of_a_writers_files_while_another_has_a_part(folder):
    left_by("a", folder, b"of a")
    first = as_writer("b", folder)
    first.take_over()
    left_by("a", folder, b"of a, later")
    second = as_writer("c", folder)
    assert second.take_over() == []
    assert second.has_more
    first.close()
    assert bodies_of(second.take_over()) == [b"of a", b"of a, later"]


def test_what_a_living_process_still_has_to_send_after_it_is_left_alone(folder):
    left_by("a", folder, b"of a")
    sibling = as_writer("b", folder)
    sibling.take_over()
    restarted = as_writer("a", folder)
    restarted.take_over()
    restarted.mirror([(0.0, request(b"of a, now"))])
    sibling.close()
    other = as_writer("c", folder)
    assert other.take_over() == []
    assert bodies_of(restarted.take_over()) == [b"of a"]


def test_files_are_taken_over_so_many_at_a_time_that_descriptors_do_not_run_out(folder):
    for number in range(40):
        left_by("a", folder, b"%02d" % number)
    restarted = as_writer("a", folder)
    found = []
    looks = 0
    while left := restarted.take_over():
        found += bodies_of(left)
        restarted.mirror([])
        looks += 1
        assert restarted.is_behind is (looks < 3)
    assert found == [b"%02d" % number for number in range(40)]


def test_order_does_not_depend_on_how_long_reading_takes(folder):
    for number in range(5):
        left_by("a", folder, b"%d" % number)
    seconds = itertools.count(time.time(), step=60)
    restarted = backlog(folder, wall_clock=lambda: next(seconds))
    restarted.writer = "a"
    assert bodies_of(restarted.take_over()) == [b"%d" % number for number in range(5)]


def test_what_is_left_of_a_request_stays_with_the_others_of_its_writer(folder):
    left_by("a", folder, b"of a")
    sibling = as_writer("b", folder)
    [left] = sibling.take_over()
    sibling.mirror([(left.age, left.request._replace(body=b"a part")), (0.0, request(b"of b"))])
    sibling.close()
    files = {path.name.split("-")[2]: path for path in folder.glob("*.db")}
    assert {stored(path) for path in files.values()} == {(b"a part",), (b"of b",)}
    assert len(files) == 2


def test_a_request_that_has_changed_on_disk_is_not_sent_and_the_others_are(folder, caplog):
    one = backlog(folder)
    one.mirror([(0.0, request(b"body" * 50)), (0.0, request(b"sound"))])
    one.close()
    [path] = folder.glob("*.db")
    path.write_bytes(path.read_bytes().replace(b"bodybody", b"bodyBody", 1))
    second = backlog(folder)
    assert bodies_of(second.take_over()) == [b"sound"]
    assert "Part of" in caplog.text
    assert list(folder.glob("*.db"))
    second.mirror([])
    assert [each.suffix for each in folder.iterdir()] == [".corrupt"]


def test_a_row_that_holds_no_text_costs_no_other(folder):
    one = backlog(folder)
    one.mirror([(0.0, request(b"spoilt")), (0.0, request(b"sound"))])
    one.close()
    [path] = folder.glob("*.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE requests SET protocol = CAST(x'ff5af0' AS TEXT) WHERE id = 1")
    second = backlog(folder)
    assert bodies_of(second.take_over()) == [b"sound"]
    second.mirror([])
    assert [each.suffix for each in folder.iterdir()] == [".corrupt"]


def test_what_others_have_left_is_read_from_a_full_disk_and_delivered_once(tmp_path):
    with Disk(tmp_path / "disk") as disk:
        if not disk.is_own:
            pytest.skip("this user may not mount a disk to fill it")
        left_by("a", disk.path, b"of a")
        assert disk.fill()
        restarted = as_writer("a", disk.path)
        assert bodies_of(restarted.take_over()) == [b"of a"]
        assert not restarted.is_behind
        restarted.mirror([])
        assert [path.name for path in disk.path.iterdir()] == ["ballast"]


def spoil(path):
    """Overwrite all pages of a file but the first."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


def test_who_goes_on_with_series_waits_for_what_a_sibling_holds_of_a_file_that_proves_to_be_corrupt(folder):
    one = as_writer("a", folder)
    one.mirror([(0.0, request(b"first")), (0.0, request(b"second"))])
    one.close()
    sibling = as_writer("b", folder)
    [first, second] = sibling.take_over()
    spoil(next(folder.glob("*.db")))
    sibling.forget([first.request])
    restarted = as_writer("a", folder)
    assert restarted.take_over() == []
    assert restarted.is_behind
    sibling.mirror([(second.age, second.request)])
    assert sibling.is_usable
    sibling.close()
    assert bodies_of(restarted.take_over()) == [b"second"]
    assert not restarted.is_behind


def test_who_goes_on_with_series_waits_also_where_there_is_no_room_for_what_a_sibling_holds(tmp_path):
    with Disk(tmp_path / "disk") as disk:
        if not disk.is_own:
            pytest.skip("this user may not mount a disk to fill it")
        one = as_writer("a", disk.path)
        one.mirror([(0.0, request(b"first")), (0.0, request(b"second"))])
        one.close()
        sibling = as_writer("b", disk.path)
        [first, second] = sibling.take_over()
        spoil(next(disk.path.glob("*.db")))
        assert disk.fill()
        sibling.forget([first.request])
        restarted = as_writer("a", disk.path)
        for _ in range(2):
            sibling.mirror([(second.age, second.request)])
            assert not sibling.is_usable
            assert restarted.take_over() == []
            assert restarted.is_behind
        disk.free()
        sibling.mirror([(second.age, second.request)])
        assert sibling.is_usable
        sibling.close()
        assert bodies_of(restarted.take_over()) == [b"second"]
        restarted.mirror([])
        assert [path.suffix for path in disk.path.iterdir()] == [".corrupt"]


def test_a_row_that_is_not_where_it_was_written_is_not_left_to_be_sent_again(folder):
    durable = backlog(folder)
    first, second = request(b"first"), request(b"second")
    durable.mirror([(0.0, first), (0.0, second)])
    [path] = folder.glob("*.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE requests SET id = 7 WHERE id = 1")
    durable.mirror([(0.0, second)])
    durable.close()
    assert bodies_of(backlog(folder).take_over()) == [b"second"]


def locking(path):
    """A process that holds the file locked, as a backup may; it has done so when it is returned."""
    script = (
        "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "connection.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", script, str(path)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_file_that_another_program_locks_costs_one_warning_until_it_is_free(folder, caplog):
    durable = backlog(folder)
    first, second = request(b"first"), request(b"second")
    durable.mirror([(0.0, first)])
    [path] = folder.glob("*.db")
    with locking(path) as other:
        for _ in range(2):
            durable.mirror([(0.0, first), (0.0, second)])
            assert not durable.is_usable
        other.stdin.close()
    assert len([record for record in caplog.records if "only in memory" in record.getMessage()]) == 1
    durable.mirror([(0.0, first), (0.0, second)])
    assert durable.is_usable
    durable.close()
    assert bodies_of(backlog(folder).take_over()) == [b"first", b"second"]


def test_what_is_delivered_while_its_file_is_locked_is_not_sent_again(folder):
    durable = backlog(folder)
    delivered = request()
    durable.mirror([(0.0, delivered)])
    [path] = folder.glob("*.db")
    with locking(path) as other:
        durable.mirror([])
        assert list(folder.iterdir()) == []
        other.stdin.close()
    durable.close()
    assert backlog(folder).take_over() == []


def test_a_file_in_which_nothing_is_sound_is_set_aside(folder, caplog):
    left_by("a", folder, b"body" * 50)
    [path] = folder.glob("*.db")
    path.write_bytes(path.read_bytes().replace(b"bodybody", b"bodyBody", 1))
    assert backlog(folder).take_over() == []
    assert "nothing in it is intact" in caplog.text
    assert list(folder.glob("*.corrupt"))


TAKING = """
import sys
from opentelemetry.exporter.prometheus_remote_write.delivery.disk_buffer.durable import DurableBacklog
one = DurableBacklog(sys.argv[1], "http://receiver/api/v1/write", 1 << 20)
print("ready", flush=True)
sys.stdin.readline()
taken = []
while left := one.take_over():
    taken += [each.request.body.decode() for each in left]
    one.mirror([])
print(*taken, flush=True)
"""


def test_processes_that_look_at_the_same_moment_never_take_the_same_file(folder):
    for number in range(30):
        left_by("", folder, b"%02d" % number)
    words = [sys.executable, "-c", TAKING, str(folder)]
    processes = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("now\n")
        process.stdin.flush()
    taken_by = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sorted(body for bodies in taken_by for body in bodies) == [f"{number:02d}" for number in range(30)]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("of_first", "of_second", "is_shared"),
    [
        pytest.param({}, {}, True, id="the same receiver"),
        pytest.param(
            {"basic_auth": {"username": "u", "password": "old"}},
            {"basic_auth": {"username": "u", "password": "new"}},
            True,
            id="a password that was exchanged",
        ),
        pytest.param({"bearer_token": "old"}, {"bearer_token": "new"}, True, id="a token that was exchanged"),
        pytest.param({"headers": {"X-Trace": "1"}}, {"headers": {"X-Trace": "2"}}, True, id="another header"),
        pytest.param(
            {"headers": {"X-Scope-OrgID": "berlin"}},
            {"headers": {"X-Scope-OrgID": "paris"}},
            False,
            id="another tenant",
        ),
        pytest.param(
            {"basic_auth": {"username": "1", "password": "p"}},
            {"basic_auth": {"username": "2", "password": "p"}},
            False,
            id="another user",
        ),
    ],
)
def test_what_is_kept_for_one_tenant_is_never_sent_to_another(receiver, folder, of_first, of_second, is_shared):
    away(receiver)
    first = exporter(receiver, folder, **of_first)
    export(first, 1.0)
    first.shutdown()
    receiver.script.clear()
    second = exporter(receiver, folder, **of_second)
    export(second, 2.0, at=NOW + 1000)
    second.shutdown()
    assert receiver.values("hits_total") == ([1.0, 2.0] if is_shared else [2.0])


def test_stale_markers_of_the_end_are_kept_too(receiver, folder):
    away(receiver)
    first = exporter(receiver, folder, stale_markers=True)
    export(first, 1.0)
    first.shutdown()
    receiver.script.clear()
    second = exporter(receiver, folder)
    second.export(collected(resource={"service.name": "shop"}))
    second.shutdown()
    number, marker = (sample.value for sample in receiver.series("hits_total")[0].samples)
    assert number == 1.0
    assert marker != marker  # noqa: PLR0124 - it is no number


def test_what_is_set_aside_counts_among_what_the_folder_holds(folder):
    folder.mkdir()
    (folder / "prw-old.corrupt").write_bytes(b"x" * 500_000)
    durable = backlog(folder, max_bytes=50_000)
    durable.mirror([(0.0, request())])
    assert not durable.is_usable


def export_as(exporter, instance, value, at):
    resource = {"service.name": "shop", "service.instance.id": instance}
    return exporter.export(collected(counter(point(value, at=at)), resource=resource), timeout_millis=60_000)


def test_who_goes_on_with_series_sends_nothing_before_a_sibling_has_delivered_what_comes_first(receiver, folder):
    away(receiver)
    killed = exporter(receiver, folder)
    export_as(killed, "a", 1.0, NOW)
    killed.shutdown()
    sibling = exporter(receiver, folder)
    export_as(sibling, "b", 10.0, NOW)  # it takes over what is left, and cannot deliver it
    receiver.script.clear()
    restarted = exporter(receiver, folder)
    assert export_as(restarted, "a", 2.0, NOW + 1000) is MetricExportResult.FAILURE
    assert receiver.series("hits_total") == []
    assert export_as(sibling, "b", 11.0, NOW + 1000) is MetricExportResult.SUCCESS
    assert export_as(restarted, "a", 3.0, NOW + 2000) is MetricExportResult.SUCCESS
    assert receiver.values("hits_total", instance="a") == [1.0, 2.0, 3.0]
    assert receiver.values("hits_total", instance="b") == [10.0, 11.0]
    assert {refused.status for refused in receiver.rejected} <= {503}
    for each in (sibling, restarted):
        each.shutdown()
    assert list(folder.iterdir()) == []
