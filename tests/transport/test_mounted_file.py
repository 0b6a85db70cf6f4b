import os
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Unsendable
from opentelemetry.exporter.prometheus_remote_write.transport.mounted_file import content, secret_file

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


# A secret in it.


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        pytest.param(b"s3cret", "s3cret", id="without a line break"),
        pytest.param(b"s3cret\n", "s3cret", id="with a line break at its end"),
        pytest.param(b"s3cret\r\n", "s3cret", id="with one of Windows"),
        pytest.param("päss wörd \n".encode(), "päss wörd ", id="with spaces, which belong to it"),
        pytest.param(b"\xef\xbb\xbfs3cret\r\n", "s3cret", id="with the mark of Windows at its beginning"),
        pytest.param(b"x" * 1048576, "x" * 1048576, id="of 1 MiB"),
    ],
)
def test_the_text_of_the_file_is_the_secret(path, content, secret):
    path.write_bytes(content)
    assert secret_file("TOKEN_FILE", str(path)).current() == secret


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b"\n\n", "is empty", id="only line breaks"),
        pytest.param(b" \t\xc2\xa0\n", "is empty", id="only blanks"),
        pytest.param(b"\xef\xbb\xbf\r\n", "is empty", id="only the mark of Windows"),
        pytest.param(b"s3cret\nmore", "holds a line break", id="two lines"),
        pytest.param(b"s3cret\x00", "holds a line break or a control character", id="a NUL"),
        pytest.param(b"s3cret\x7f", "holds a line break or a control character", id="a DEL"),
        pytest.param(b"s3cret\xff", "is not UTF-8", id="another encoding"),
        pytest.param(b"s3cret" * 200_000, "is larger than 1 MiB", id="too much"),
    ],
)
def test_a_text_that_is_no_secret_is_refused_without_being_shown(path, content, reason):
    path.write_bytes(content)
    with pytest.raises(Unsendable, match=f"^TOKEN_FILE: '{path}' {reason}") as caught:
        secret_file("TOKEN_FILE", str(path)).current()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_file_is_read_again_when_it_was_written_again(path):
    path.write_text("first")
    secret = secret_file("TOKEN_FILE", str(path))
    assert secret.current() == "first"
    path.write_text("second one")
    assert secret.current() == "second one"


def test_a_file_that_was_mended_is_read(path):
    path.write_text("")
    secret = secret_file("TOKEN_FILE", str(path))
    with pytest.raises(Unsendable):
        secret.current()
    path.write_text("s3cret")
    assert secret.current() == "s3cret"
