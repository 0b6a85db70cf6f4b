from __future__ import annotations

import cramjam
import pytest
import snappy
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.receiver.decompression import decompress
from opentelemetry.exporter.prometheus_remote_write.receiver.refusal import Refusal


@given(st.binary(max_size=1000))
def test_block_is_decompressed(content):
    assert decompress(snappy.compress(content), limit=1000) == content


def test_uncompressed_literals_are_a_block_too():
    assert decompress(b"\x05\x10hello", limit=5) == b"hello"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param(bytes(cramjam.snappy.compress(b"hello")), 400, "in snappy's framed format", id="framed"),
        pytest.param(b"", 400, "does not begin with a length", id="nothing"),
        pytest.param(b"\xff" * 9, 400, "does not begin with a length", id="a length without end"),
        pytest.param(snappy.compress(b"hello")[:-1], 400, "not a snappy block", id="cut short"),
        pytest.param(snappy.compress(b"hello") + b"x", 400, "not a snappy block", id="more than its length"),
        pytest.param(b"\x1f\x8b\x08\x00", 400, "not a snappy block", id="gzip"),
        pytest.param(snappy.compress(b"x" * 1001), 413, "decodes to 1001 bytes; the limit is 1000", id="too large"),
        pytest.param(b"\xff\xff\xff\xff\x0f", 413, "decodes to 4294967295 bytes", id="a lie of 4 GiB"),
    ],
)
def test_other_body_is_refused(body, status, reason):
    with pytest.raises(Refusal) as refusal:
        decompress(body, limit=1000)
    assert reason in refusal.value.reason
    assert refusal.value.status == status


@given(st.binary(max_size=100))
def test_any_body_is_decompressed_or_refused(body):
    try:
        assert len(decompress(body, limit=1000)) <= 1000
    except Refusal as refusal:
        assert refusal.status in (400, 413)  # noqa: PT017 - either outcome is right
