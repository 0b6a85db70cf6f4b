from tests.soak.soak import soak


def test_half_a_minute_with_a_prometheus_that_comes_and_goes(start_prometheus):
    """The short form of `make soak`."""
    report = soak(start_prometheus(), seconds=20, seed=20)
    assert not report.faults, report
