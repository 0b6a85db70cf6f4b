import logging
import os
import subprocess
import sys

import pytest
import snappy
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor, stored


@given(st.binary(max_size=300))
def test_what_is_stored_is_a_snappy_block(content):
    assert snappy.uncompress(stored(content)) == content


@pytest.mark.parametrize("size", [0, 1, 60, 61, 255, 256, 65535, 65536, 65537, 131072, 200_001])
def test_a_block_of_any_size_can_be_stored(size):
    content = os.urandom(size)
    block = stored(content)
    assert snappy.uncompress(block) == content
    assert len(block) <= size + 4 + 3 * (size // 65536 + 1)


@given(st.binary(max_size=300))
def test_a_body_is_compressed_as_a_block_not_as_a_stream(content):
    body = compressor()([content])
    assert type(body) is bytes
    assert snappy.uncompress(body) == content
    assert not body.startswith(b"\xff\x06\x00\x00sNaPpY")


def test_snappy_makes_a_body_smaller(caplog):
    assert len(compressor()([b"prometheus" * 1000])) < 1000
    assert not caplog.records


WITHOUT_SNAPPY = """
import logging, sys
sys.modules["snappy"] = None  # what Python notes of a module that cannot be imported
logging.basicConfig(format="%(levelname)s %(message)s")
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor
sys.stdout.buffer.write(compressor()([b"prometheus"]))
"""


def test_where_snappy_cannot_be_imported_bodies_are_stored_and_one_warning_says_so():
    ran = subprocess.run([sys.executable, "-c", WITHOUT_SNAPPY], capture_output=True, check=True, timeout=60)
    assert snappy.uncompress(ran.stdout) == b"prometheus"
    [warning] = ran.stderr.decode().splitlines()
    assert warning.startswith("WARNING python-snappy cannot be imported")


def test_nothing_is_logged_where_snappy_is_there(caplog):
    with caplog.at_level(logging.DEBUG):
        compressor()
    assert not caplog.records


@given(st.lists(st.binary(max_size=100)))
def test_pieces_are_one_block_however_the_message_is_divided(pieces):
    assert snappy.uncompress(compressor()(pieces)) == b"".join(pieces)


OUT_OF_MEMORY = """
import resource
from opentelemetry.exporter.prometheus_remote_write.encoding.compression import compressor

compress, pieces, kept, ended = compressor(), [bytes(60_000)], [], 0
body = compress(pieces)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 4_000_000, resource.RLIM_INFINITY))
for size in (1 << 20, 1 << 16, 1 << 12):  # what is left gets smaller and smaller
    try:
        while True:
            kept.append(bytes(size))
            try:
                compress(pieces)
            except MemoryError:
                ended += 1
                break
    except MemoryError:
        pass
kept.clear()
assert ended and compress(pieces) == body
print("alive")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_without_memory_it_raises_and_does_not_end_the_process():
    ended = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr
