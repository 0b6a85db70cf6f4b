from tests.soak.chaos import Chaos
from tests.soak.soak import soak


def test_half_a_minute_with_a_prometheus_that_comes_and_goes(start_prometheus):
    """The short form of `make soak`."""
    report = soak(start_prometheus(), seconds=20, seed=20)
    assert not report.faults, report


def test_a_few_rounds_of_chaos(start_prometheus, tmp_path):
    """The short form of `make chaos`."""
    report = Chaos(start_prometheus(features=()), tmp_path, seed=3).run(rounds=2)
    assert not report.faults, report.faults
    assert report.workers_killed >= 2
    assert report.samples
