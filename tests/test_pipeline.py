import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.model.stale_marker import is_stale
from opentelemetry.exporter.prometheus_remote_write.pipeline import Pipeline
from opentelemetry.exporter.prometheus_remote_write.receiver.decoding import decode
from opentelemetry.exporter.prometheus_remote_write.translation.dropped_points import DroppedPoints
from opentelemetry.exporter.prometheus_remote_write.translation.series_limit import PROCESS
from tests.collected import collected, gauge, histogram, point

DEFAULTS = Settings(endpoint="http://prometheus", disable_target_info=True)


@pytest.fixture
def pipeline():
    """pipeline(protocol, setting=...): one that does not compress."""
    made = []

    def make(protocol, **settings):
        made.append(
            Pipeline(DEFAULTS.changed(**settings), DroppedPoints(), b"".join, protocol=protocol, max_samples=2000)
        )
        return made[-1]

    yield make
    for each in made:
        each.detach()


def series(requests):
    return [each for request in requests for each in decode(request.protocol, request.body).series]


@pytest.mark.parametrize("protocol", ["1.0", "2.0"])
def test_requests_are_of_the_pipelines_version(pipeline, protocol):
    requests = pipeline(protocol).requests(collected(gauge(point(4))))
    assert {request.protocol for request in requests} == {protocol}
    assert [each.samples[0].value for each in series(requests)] == [4.0]


def test_custom_buckets_are_for_2_0_alone(pipeline):
    def natives(protocol):
        made = pipeline(protocol, convert_histograms_to_nhcb=True)
        return sum(request.histograms for request in made.requests(collected(histogram())))

    assert (natives("1.0"), natives("2.0")) == (0, 1)


def test_a_pipeline_tells_the_end_of_what_it_has_taken_over(pipeline):
    before, after = (pipeline(protocol, stale_markers=True) for protocol in ("2.0", "1.0"))
    before.requests(collected(gauge(point(4))))
    after.take_over(before)
    [ended] = series(after.ends())
    assert is_stale(ended.samples[0].value)
    assert after.ends() == []


def test_what_was_left_counts_no_more(pipeline):
    already = PROCESS.used().total()
    made = pipeline("2.0")
    made.requests(collected(gauge(point(4))))
    assert PROCESS.used().total() == already + 1
    made.detach()
    assert PROCESS.used().total() == already


def test_a_pipeline_that_has_forgotten_begins_anew(pipeline):
    made = pipeline("2.0")
    first = series(made.requests(collected(gauge(point(4)))))
    made.release()
    assert series(made.requests(collected(gauge(point(4))))) == first
