import pytest

from opentelemetry.exporter.prometheus_remote_write.delivery.pace import Pace


def patience_after(*exports, interval=60.0):
    """How long the last of the exports may retry; each is given as when it begins and how long it lasts."""
    pace = Pace(interval)
    for began, lasted in exports:
        until = pace.begin(began)
        pace.end(began + lasted)
    return until - began


@pytest.mark.parametrize(
    ("exports", "patience"),
    [
        pytest.param([(0, 0)], 30, id="half of what is known before"),
        pytest.param([(0, 0.1), (10, 0.1)], 5, id="half of the interval that is seen"),
        pytest.param([(0, 0.1), (10, 0.1), (30, 0)], 10, id="the newest interval counts"),
        pytest.param([(0, 9), (10, 0)], 30, id="an export that was held up says nothing of the interval"),
        pytest.param([(0, 0), (0.2, 0)], 30, id="somebody flushes: that is no interval"),
        pytest.param([(0, 0), (1, 0)], 0.5, id="a second is one"),
    ],
)
def test_retries_end_after_half_an_interval(exports, patience):
    assert patience_after(*exports) == pytest.approx(patience)
