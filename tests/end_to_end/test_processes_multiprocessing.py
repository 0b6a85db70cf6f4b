"""Other programs that a process runs, and children that die; children that end in good order are rows of hosts/."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.end_to_end.fleet import FOLDER, PINNED, POD, Program, assert_one_writer_each, instances, total
from tests.end_to_end.installations import instruments_children


@instruments_children
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


CHILD = """
import multiprocessing, sys
import opentelemetry.exporter.prometheus_remote_write.data_path  # what the exit imports else; its time is for the file
from work import work

def run():
    work.add(1)

if __name__ == "__main__":
    child = multiprocessing.get_context(sys.argv[1]).Process(target=run)
    child.start()
    child.join()
    assert child.exitcode == 0
"""


def a_pipe_that_nobody_writes_to(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def the_log_of_the_kernel(_folder):
    """A file by what it says of itself, from which a read waits for the next line."""
    if not os.access("/proc/kmsg", os.R_OK):
        pytest.skip("it is root's")
    return Path("/proc/kmsg")


@pytest.mark.parametrize(
    ("hanging", "setting", "method"),
    [
        pytest.param(a_pipe_that_nobody_writes_to, "BEARER_TOKEN_FILE", "fork", id="a pipe"),
        pytest.param(the_log_of_the_kernel, "BEARER_TOKEN_FILE", "fork", id="a token"),
        pytest.param(*(the_log_of_the_kernel, "CERTIFICATE", "spawn"), id="an authority", marks=instruments_children),
    ],
)
def test_a_file_that_hangs_does_not_hold_up_the_end_of_a_child(receiver, tmp_path, hanging, setting, method):
    script = tmp_path / "app.py"
    script.write_text(CHILD)
    variables = {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url.replace("http:", "https:" if setting == "CERTIFICATE" else "http:"),
        "OTEL_EXPORTER_PRW_SHUTDOWN_TIMEOUT": "5000",
        f"OTEL_EXPORTER_PRW_{setting}": str(hanging(tmp_path)),
    }
    with Program("python", script, method, folder=tmp_path, **variables) as program:
        assert program.end() == 0, program.log.read_text()
    said = [line for line in program.log.read_text().splitlines() if re.search("is not a file|does not answer", line)]
    assert len(said) >= 2, program.log.read_text()  # the parent's and the child's
