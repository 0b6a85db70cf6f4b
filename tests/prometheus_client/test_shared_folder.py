from __future__ import annotations

import os
import subprocess
import sys

import pytest

from opentelemetry.exporter.prometheus_remote_write.prometheus_client.shared_folder import SharedFolder, shared_folder


class User:
    """Who pushes what is in a folder."""


USER = User()


def test_one_process_has_the_folder_and_another_takes_over(tmp_path):
    first, second = SharedFolder(str(tmp_path)), SharedFolder(str(tmp_path), sleep=lambda _: None)
    assert first.is_ours(USER, last=False)
    assert first.is_ours(USER, last=False)
    assert not second.is_ours(USER, last=True)
    first.release(USER)
    assert second.is_ours(USER, last=False)
    assert list(tmp_path.iterdir()) == []


def test_the_last_export_of_a_process_waits_for_one_that_ends_too(tmp_path):
    ending = SharedFolder(str(tmp_path))
    assert ending.is_ours(USER, last=True)
    other = SharedFolder(str(tmp_path), sleep=lambda _: ending.release(USER))
    assert other.is_ours(USER, last=True)


def test_the_last_export_of_a_process_does_not_wait_for_one_that_goes_on(tmp_path):
    def sleep(_):
        pytest.fail("it waits")

    goes_on = SharedFolder(str(tmp_path))
    assert goes_on.is_ours(USER, last=False)
    assert not SharedFolder(str(tmp_path), sleep).is_ours(USER, last=True)


def test_who_ends_knows_whether_another_goes_on(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as other:
        for process in (os.getpid(), other.pid):
            (tmp_path / f"counter_{process}.db").touch()
        ending = SharedFolder(str(tmp_path))
        assert ending.is_ours(USER, last=True)
        assert ending.has_heirs()
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert not ending.has_heirs()  # although nobody has asked for it
    assert not ending.has_heirs()


LEAVES = """
import os, sys
from pathlib import Path
from opentelemetry.exporter.prometheus_remote_write.prometheus_client.shared_folder import SharedFolder
folder = SharedFolder(sys.argv[1])
user = type("User", (), {})()
Path(sys.argv[1], f"counter_{os.getpid()}.db").touch()
print(folder.is_ours(user, last=True), flush=True)
input()
folder.release(user)
print("left", flush=True)
input()
"""


def test_who_has_left_the_folder_and_is_there_still_does_not_go_on(tmp_path):
    ending = SharedFolder(str(tmp_path))
    assert ending.is_ours(USER, last=False)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", LEAVES, str(tmp_path)], **pipes) as other:
        assert other.stdout.readline() == "False\n"
        assert ending.has_heirs()
        print(file=other.stdin, flush=True)
        assert other.stdout.readline() == "left\n"
        assert not ending.has_heirs()
        print(file=other.stdin, flush=True)


def test_where_processes_have_numbers_of_their_own_another_may_go_on(tmp_path):
    (tmp_path / "counter_worker-a.db").touch()
    ending = SharedFolder(str(tmp_path))
    assert ending.is_ours(USER, last=True)
    assert ending.has_heirs()


def test_the_exporters_of_one_process_push_the_folder_together(tmp_path):
    first, second = User(), User()
    folder = shared_folder(str(tmp_path))
    assert folder is shared_folder(str(tmp_path))
    assert folder.is_ours(first, last=False)
    assert folder.is_ours(second, last=False)
    folder.release(first)
    assert not SharedFolder(str(tmp_path)).is_ours(USER, last=False)
    folder.release(second)
    assert SharedFolder(str(tmp_path)).is_ours(USER, last=False)


def test_all_processes_find_the_same_instance_of_a_folder_and_another_of_another(tmp_path):
    paths = [tmp_path / "one", tmp_path / "one", tmp_path / "two"]
    folders = [SharedFolder(str(path)) for path in paths]
    for folder, path in zip(folders, paths, strict=True):
        path.mkdir(exist_ok=True)
        folder.is_ours(USER, last=False)
    one, same, two = (folder.instance() for folder in folders)
    assert one == same != two


def test_a_folder_that_was_made_anew_is_locked_anew(tmp_path):
    path = tmp_path / "values"
    path.mkdir()
    folder = SharedFolder(str(path))
    assert folder.is_ours(USER, last=False)
    path.rename(tmp_path / "old")
    path.mkdir()
    assert folder.is_ours(USER, last=False)
    assert not SharedFolder(str(path)).is_ours(USER, last=False)


def test_a_descriptor_that_the_application_closed_is_taken_anew(tmp_path):
    folder = SharedFolder(str(tmp_path))
    assert folder.is_ours(USER, last=False)
    os.close(folder._folder.number)
    assert folder.is_ours(USER, last=False)
    folder.release(USER)


def test_a_folder_that_is_gone_is_nobodys(tmp_path):
    with pytest.raises(FileNotFoundError):
        SharedFolder(str(tmp_path / "missing")).is_ours(USER, last=False)
