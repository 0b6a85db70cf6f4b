from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.encoding.batch import Batch
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_1 import RemoteWrite1
from opentelemetry.exporter.prometheus_remote_write.encoding.remote_write_2 import RemoteWrite2
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar
from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from tests.collected import NOW
from tests.encoding.exports import expected, floats, found, gauge_family, sequences, streams
from tests.thoroughness import scaled

ENCODERS = {"1.0": RemoteWrite1, "2.0": RemoteWrite2}
LEVEL = gauge_family()


@pytest.fixture(params=ENCODERS)
def protocol(request):
    return request.param


@pytest.fixture
def batch(protocol):
    return Batch(ENCODERS[protocol])


def series(protocol, message):
    return found(decode(protocol, message).series)


@pytest.mark.parametrize("protocol", ENCODERS)
@settings(max_examples=scaled(50))
@given(sequences(), st.sets(st.integers(0, 2)))
def test_a_request_says_what_its_frames_say_in_every_export(protocol, exports, held):
    batch = Batch(ENCODERS[protocol])
    for all_samples in exports:
        for place, family_samples in enumerate(all_samples):
            if place in held:  # what is not is encoded for this once, as markers are
                batch.hold(family_samples.family, family_samples.streams)
        assert series(protocol, b"".join(batch.encode(all_samples))) == expected(all_samples, protocol)


@settings(max_examples=scaled(50))
@given(sequences(max_exports=2))
def test_a_request_of_1_0_is_what_protobuf_would_write(exports):
    batch = Batch(RemoteWrite1)
    for all_samples in exports:
        parsed = v1.WriteRequest.FromString(b"".join(batch.encode(all_samples)))
        built = v1.WriteRequest()
        for item in parsed.timeseries:
            again = built.timeseries.add(
                labels=item.labels, samples=item.samples, exemplars=item.exemplars, histograms=item.histograms
            )
            assert len(again.samples) + len(again.histograms) == 1
        assert built.SerializeToString(deterministic=True) == parsed.SerializeToString(deterministic=True)


def test_golden_bytes_of_1_0():
    message = b"".join(Batch(RemoteWrite1).encode([floats(LEVEL, streams("x"), 1.5)]))
    assert message.hex(" ") == (
        "0a 2e "  # a series of 46 bytes
        "0a 11 0a 08 5f 5f 6e 61 6d 65 5f 5f 12 05 6c 65 76 65 6c "  # __name__, level
        "0a 07 0a 02 61 74 12 01 78 "  # at, x
        "12 10 09 00 00 00 00 00 00 f8 3f 10 80 b8 83 a1 f7 32"  # 1.5 at NOW
    )


def test_a_family_that_sends_nothing_new_is_encoded_once(protocol):
    encoded = []

    class Counting(ENCODERS[protocol]):
        def labels(self, labels):
            encoded.append(labels)
            return super().labels(labels)

    batch = Batch(Counting)
    those = streams("a", "b")
    batch.hold(LEVEL, those)
    for number in range(3):
        b"".join(batch.encode([floats(LEVEL, those, number)]))
    assert encoded == [stream.labels for stream in those]
    more = [*those, *streams("c")]
    batch.hold(LEVEL, more)
    b"".join(batch.encode([floats(LEVEL, more)]))
    assert encoded == [stream.labels for stream in more]


def test_some_of_what_is_held_can_be_sent_alone(protocol, batch):
    a, b, c = those = streams("a", "b", "c")
    batch.hold(LEVEL, those)
    whole = b"".join(batch.encode([floats(LEVEL, those)]))
    for some in ([a], [c, b], streams("d"), [b, *streams("e"), a]):
        family_samples = floats(LEVEL, some)
        assert series(protocol, b"".join(batch.encode([family_samples]))) == expected([family_samples], protocol)
    assert series(protocol, b"".join(batch.encode([floats(LEVEL, those)]))) == series(protocol, whole)


def test_what_was_forgotten_is_not_kept(batch):
    those = streams("a", "b")
    batch.hold(LEVEL, those)
    b"".join(batch.encode([floats(LEVEL, those)]))
    batch.hold(LEVEL, ())
    assert not batch._held
    assert not batch._streams


def test_a_long_series_grows_by_its_exemplars_and_shrinks_again(batch, protocol):
    exemplar = Exemplar((("trace_id", "a" * 100),), 1.0, NOW)
    those = streams("x" * 100)
    plain = b"".join(batch.encode([floats(LEVEL, those)]))
    family_samples = floats(LEVEL, those, exemplars={0: (exemplar,) * 100})
    assert series(protocol, b"".join(batch.encode([family_samples]))) == expected([family_samples], protocol)
    assert b"".join(batch.encode([floats(LEVEL, those)])) == plain


def test_values_of_the_wrong_number_are_an_error_and_not_another_series(batch):
    with pytest.raises(ValueError, match="attempt to assign sequence of size 1 to extended slice of size 2"):
        b"".join(batch.encode([floats(LEVEL, streams("a", "b"), values=array("d", [1.0]))]))


def test_a_batch_whose_streams_come_and_go_does_not_grow(batch):
    sizes = set()
    for number in range(300):
        those = streams(f"{number:03}")
        batch.hold(LEVEL, those)
        batch.renew_if_stale()
        sizes.add(len(b"".join(batch.encode([floats(LEVEL, those)]))))
    assert max(sizes) <= 3 * min(sizes)
