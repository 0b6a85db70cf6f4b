import math

import pytest

from opentelemetry.exporter.prometheus_remote_write.transport.deadline import deadline, remaining


def test_without_a_deadline_there_is_no_limit():
    assert remaining() is None


def test_an_infinite_one_is_no_limit():
    with deadline(math.inf):
        assert remaining() is None


def test_what_remains_shrinks_from_the_whole_on():
    with deadline(1000):
        first = remaining()
        assert 0 < remaining() <= first <= 1000


@pytest.mark.parametrize("seconds", [0, -1])
def test_nothing_remains_when_it_has_passed(seconds):
    with deadline(seconds), pytest.raises(TimeoutError):
        remaining()


def test_it_ends_with_its_block():
    with deadline(1000):
        pass
    assert remaining() is None
