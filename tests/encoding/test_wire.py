import pytest
from google.protobuf.internal.decoder import _DecodeVarint
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.encoding.wire import (
    LENGTH_DELIMITED,
    delimited,
    fields,
    tag,
    timestamp,
    varint,
)
from opentelemetry.exporter.prometheus_remote_write.model.timestamps import LATEST
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        ((1 << 14) - 1, "ff7f"),
        (1 << 14, "808001"),
        ((1 << 64) - 1, "ffffffffffffffffff01"),
    ],
)
def test_a_varint_has_seven_bits_in_a_byte_the_lowest_first(number, encoded):
    assert varint(number).hex() == encoded


@given(st.integers(0, (1 << 64) - 1))
def test_a_varint_is_what_protobuf_reads(number):
    encoded = varint(number)
    assert _DecodeVarint(encoded, 0) == (number, len(encoded))


def test_a_tag_is_a_field_and_how_its_value_is_written():
    assert tag(1, LENGTH_DELIMITED) == b"\x0a"
    assert tag(16, LENGTH_DELIMITED) == b"\x82\x01"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text("x", min_size=1, max_size=400))
def test_a_delimited_field_is_what_protobuf_writes(name, value):
    by_hand = delimited(1, name.encode()) + delimited(2, value.encode())
    assert by_hand == v1.Label(name=name, value=value).SerializeToString()


@given(st.one_of(st.integers(0, LATEST), st.sampled_from([0, 127, 128, (1 << 35) - 1, 1 << 35, LATEST])))
def test_every_time_is_a_varint_of_six_bytes(milliseconds):
    encoded = timestamp(milliseconds)
    assert len(encoded) == 6
    assert v1.Sample.FromString(b"\x10" + encoded).timestamp == milliseconds


@given(st.lists(st.tuples(st.integers(1, 15), st.binary(max_size=300))))
def test_fields_are_those_that_were_written(written):
    message = b"".join(delimited(field, content) for field, content in written)
    assert list(fields(message)) == written
