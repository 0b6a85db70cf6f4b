"""Other programs that a process runs, and children that die; children that end in good order are rows of hosts/."""

from __future__ import annotations

import pytest

from tests.end_to_end.fleet import FOLDER, PINNED, POD, Program, assert_one_writer_each, instances, total


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
