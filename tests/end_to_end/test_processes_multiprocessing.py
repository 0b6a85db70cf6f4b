"""Children of multiprocessing, by each start method, and other programs."""

from __future__ import annotations

import pytest

from tests.end_to_end.fleet import FOLDER, PINNED, POD, Program, assert_one_writer_each, instances, total


@pytest.mark.parametrize(
    ("method", "pin"),
    [
        pytest.param("fork", True, id="fork, and the instance is pinned"),
        pytest.param("fork", False, id="fork, and the instance is not pinned"),
        pytest.param("spawn", True, id="spawn, and the instance is pinned"),
        pytest.param("forkserver", True, id="forkserver, and the instance is pinned"),
        pytest.param("forkserver", False, id="forkserver, and the instance is not pinned"),
    ],
)
def test_what_children_count_arrives_once(receiver, tmp_path, method, pin):
    children = (FOLDER / "children.py", method, 3, "together")
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **(PINNED if pin else {})}
    with Program("python", *children, folder=tmp_path, **variables) as program:
        assert program.end() == 0, program.log.read_text()
    assert total(receiver, "work_total", at="main") == 1000
    assert total(receiver, "work_total", at="child") == 1 + 2 + 3
    assert total(receiver, "in_hand") == 0
    assert_one_writer_each(receiver)
    assert program.log.read_text() == ""
    names = instances(receiver, "work_total")
    assert 2 <= len(names) <= 4  # one that comes late may take the place of one that is gone
    assert names <= {POD, f"{POD}-1", f"{POD}-2", f"{POD}-3"} or not pin


def test_a_hundred_restarts_of_a_worker_make_no_new_series(receiver, tmp_path):
    children = (FOLDER / "children.py", "fork", 100, "one after another")
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **PINNED}
    with Program("python", *children, folder=tmp_path, **variables) as program:
        assert program.end(timeout=90) == 0, program.log.read_text()
    assert total(receiver, "work_total", at="child") == 100 * 101 / 2
    assert_one_writer_each(receiver)
    # The main process has counted since before the children, but pushes after them.
    assert instances(receiver, "work_total") == {POD, f"{POD}-1"}


def test_what_other_programs_count_arrives_once(receiver, tmp_path):
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **PINNED}
    with Program("python", FOLDER / "commands.py", 2, folder=tmp_path, **variables) as program:
        assert program.end() == 0, program.log.read_text()
    assert total(receiver, "work_total") == 3
    assert instances(receiver, "work_total") == {POD, f"{POD}-1", f"{POD}-2"}
    assert_one_writer_each(receiver)


DIE = """
import multiprocessing, os, signal, sys
from opentelemetry import metrics
from work import work

def run(way):
    work.add(1)
    assert metrics.get_meter_provider().force_flush()
    if way == "by os._exit":
        os._exit(9)
    os.kill(os.getpid(), signal.SIGKILL)

for _ in range(5):
    child = multiprocessing.get_context("fork").Process(target=run, args=(sys.argv[1],))
    child.start()
    child.join()
    assert child.exitcode in (9, -9)
"""


@pytest.mark.parametrize("way", ["by SIGKILL", "by os._exit"])
def test_the_instance_of_a_process_that_died_is_taken_by_the_next(receiver, tmp_path, way):
    script = tmp_path / "app.py"
    script.write_text(DIE)
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **PINNED}
    with Program("python", script, way, folder=tmp_path, **variables) as program:
        assert program.end() == 0, program.log.read_text()
    assert total(receiver, "work_total") == 5
    assert instances(receiver, "work_total") == {POD}
    assert_one_writer_each(receiver)


POOL = """
import multiprocessing, sys
from work import work

def count(amount):
    work.add(amount, {"at": "child"})

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    for _ in range(int(sys.argv[2])):
        with context.Pool(4) as pool:  # which terminates its children at the end
            pool.map(count, [1] * 40, chunksize=1)
"""


@pytest.mark.parametrize(("method", "times"), [("fork", 5), ("forkserver", 2), ("spawn", 1)])
def test_what_the_children_of_a_pool_count_arrives_once(receiver, tmp_path, method, times):
    script = tmp_path / "app.py"
    script.write_text(POOL)
    variables = {"OTEL_EXPORTER_PRW_ENDPOINT": receiver.url, **PINNED}
    with Program("python", script, method, times, folder=tmp_path, **variables) as program:
        assert program.end(timeout=90) == 0, program.log.read_text()
    assert total(receiver, "work_total", at="child") == 40 * times
    assert_one_writer_each(receiver)
    assert "Metrics" not in program.log.read_text()
