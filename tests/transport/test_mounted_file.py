import os
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Unsendable
from opentelemetry.exporter.prometheus_remote_write.transport.mounted_file import content

UNREADABLE = Path("/proc/self/mem")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_the_content_is_given_as_it_stands_there(path):
    path.write_bytes(b"\x00any bytes\n" + b"x" * 1048565)
    assert content("FILE", str(path)) == path.read_bytes()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b"s3cret" * 174_763, "is larger than 1 MiB", id="2 bytes more than 1 MiB"),
    ],
)
def test_a_file_of_an_impossible_size_is_refused(path, data, reason):
    path.write_bytes(data)
    with pytest.raises(Unsendable, match=f"^FILE: '{path}' {reason}$"):
        content("FILE", str(path))


def test_a_file_that_is_not_there_is_refused(path):
    with pytest.raises(Unsendable, match=f"FILE: '{path}' cannot be read: No such file"):
        content("FILE", str(path))


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(Unsendable, match="is a directory"):
        content("FILE", str(tmp_path))


def test_a_pipe_is_refused_and_not_waited_for(path):
    os.mkfifo(path)
    with pytest.raises(Unsendable, match="is not a file"):
        content("FILE", str(path))


@pytest.mark.skipif(not UNREADABLE.exists(), reason="only Linux has a file that nobody can read, not even root")
def test_a_file_that_cannot_be_read_is_refused():
    with pytest.raises(Unsendable, match="FILE: '/proc/self/mem' cannot be read: Input/output error"):
        content("FILE", str(UNREADABLE))


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 5000])
def test_what_is_no_path_is_refused_in_one_line(path):
    with pytest.raises(Unsendable, match="cannot be read") as caught:
        content("FILE", path)
    assert str(caught.value).isprintable()
