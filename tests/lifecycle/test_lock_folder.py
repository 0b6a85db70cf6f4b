"""Folders for files that processes lock, where others may have been before us."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.lifecycle.lock_folder import (
    Taken,
    lock_folders,
    locked_file,
    open_folder,
    read_time,
    remove_forgotten,
    write_time,
)

DAY_AGO, NAME = 1_000_000.0, "0123456789abcdef01234567-0"
NOBODY = 65534

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "locks"


@pytest.fixture
def folder(path):
    number = open_folder(path)
    yield number
    os.close(number)


@pytest.mark.usefixtures("folder")
def test_it_is_the_users_alone(path):
    assert path.stat().st_mode & 0o777 == 0o700


def test_locks_are_kept_below_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert lock_folders()[0] == tmp_path / f"otel-prw-{os.geteuid()}"


def a_link(path):
    (path.parent / "elsewhere").mkdir()
    path.symlink_to(path.parent / "elsewhere")


def a_file(path):
    path.touch()


def a_folder_that_anybody_can_write_to(path):
    path.mkdir()
    path.chmod(0o777)


def a_folder_below_one_that_anybody_can_change(path):
    path.mkdir(mode=0o700)
    path.parent.chmod(0o777)


def a_folder_below_somebody_elses(path):
    path.mkdir(mode=0o700)
    os.chown(path.parent, NOBODY, NOBODY)


def a_folder_of_somebody_else(path):
    path.mkdir(mode=0o700)
    os.chown(path, NOBODY, NOBODY)


@pytest.mark.parametrize(
    "make",
    [
        a_link,
        a_file,
        a_folder_that_anybody_can_write_to,
        a_folder_below_one_that_anybody_can_change,
        pytest.param(a_folder_below_somebody_elses, marks=root),
        pytest.param(a_folder_of_somebody_else, marks=root),
    ],
)
def test_one_that_others_may_change_is_refused_and_no_descriptor_is_left(path, make):
    make(path)
    before = [*Path("/dev/fd").iterdir()]
    with pytest.raises(OSError):
        open_folder(path)
    assert [*Path("/dev/fd").iterdir()] == before


def test_one_below_a_folder_for_all_with_the_sticky_bit_is_used(path):
    path.parent.chmod(0o1777)
    os.close(open_folder(path))


def test_a_file_is_locked_once(folder):
    file = locked_file(folder, NAME)
    with pytest.raises(Taken):
        locked_file(folder, NAME)
    file.close()
    locked_file(folder, NAME).close()


def test_a_link_in_the_place_of_a_file_is_not_followed(path, folder):
    (path / NAME).symlink_to(path / "precious")
    with pytest.raises(OSError):
        locked_file(folder, NAME)
    assert not (path / "precious").exists()


def test_a_pipe_in_the_place_of_a_file_is_refused(path, folder):
    os.mkfifo(path / NAME)
    with pytest.raises(OSError, match="is not a file"):
        locked_file(folder, NAME)


def test_the_time_in_a_file_is_the_one_that_was_written_last(folder):
    file = locked_file(folder, NAME)
    assert read_time(file) == 0
    for time in (1_750_000_000_000_000_000, 7):
        write_time(file, time)
        assert read_time(file) == time
    file.close()


class TestForgotten:
    def made(self, path, name, time):
        (path / name).touch()
        os.utime(path / name, (time, time))
        return path / name

    def test_files_that_nobody_has_written_to_are_removed(self, path, folder):
        old, recent = self.made(path, NAME, DAY_AGO - 1), self.made(path, f"{NAME}1", DAY_AGO + 1)
        remove_forgotten(folder, DAY_AGO)
        assert (old.exists(), recent.exists()) == (False, True)

    def test_a_file_that_is_locked_is_not_removed(self, path, folder):
        file = locked_file(folder, NAME)
        self.made(path, NAME, DAY_AGO - 1)
        remove_forgotten(folder, DAY_AGO)
        assert (path / NAME).exists()
        file.close()

    @pytest.mark.parametrize("name", ["notes.txt", "old", "0123", f"{NAME}.txt", f".{NAME}"])
    def test_a_file_that_is_not_ours_by_its_name_is_not_removed(self, path, folder, name):
        file = self.made(path, name, DAY_AGO - 1)
        remove_forgotten(folder, DAY_AGO)
        assert file.exists()

    def test_what_was_swapped_for_another_folder_is_left_alone(self, path, folder):
        path.rename(path.with_name("moved"))
        path.mkdir()
        file = self.made(path, NAME, DAY_AGO - 1)
        remove_forgotten(folder, DAY_AGO)
        assert file.exists()

    def test_however_many_there_are_only_some_are_looked_at(self, path, folder):
        for number in range(1000):
            self.made(path, f"{NAME}{number}", DAY_AGO - 1)
        remove_forgotten(folder, DAY_AGO)
        assert len([*path.iterdir()]) == 900
