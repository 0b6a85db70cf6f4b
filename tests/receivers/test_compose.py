"""The Compose example's Cortex, started as it stands, and asked what the dashboard asks."""

from __future__ import annotations

import pytest

from tests.examples.compose import visit_shop
from tests.examples.monitoring import queries
from tests.receivers import programs
from tests.receivers.build import built
from tests.receivers.cortex import Cortex, flags_of_example
from tests.servers.fixtures import obtain


@pytest.fixture(scope="module")
def cortex():
    package = obtain("cortex", lambda: built(programs.CORTEX))
    with Cortex(package, flags=[*flags_of_example(), "-ruler.evaluation-interval=1s"]) as server:
        yield server


def test_it_answers_every_query_of_the_dashboard_without_an_error_and_keeps_its_samples(cortex, tmp_path):
    counted = "count_over_time(target_info[1m])"

    def pushed_twice_more():
        found = cortex.query(counted)
        before = found[0].value if found else 0
        cortex.wait_for(f"{counted} > {before + 1}")

    visit_shop(cortex.write_url, tmp_path / "log", pushed_twice_more)
    answers = {promql: len(cortex.query(promql)) for promql in queries("application-native")}
    assert all(answers.values()), answers
    errors = [line for line in cortex.log.splitlines() if "level=error" in line]
    # At its very first start the ruler looks for its folder before it has made it.
    assert [line for line in errors if "unable to read rules directory" not in line] == []

    assert cortex.wait_for('job_route:http_server_requests:rate5m{job="shop"}', timeout=60)  # by the example's rules

    before = {series["__name__"] for series in cortex.series('{job="shop"}')}
    held = cortex.range_vector('http_server_active_requests{job="shop"}[10m]')
    cortex.stop()
    cortex.start()
    assert before <= {series["__name__"] for series in cortex.series('{job="shop"}')}
    assert cortex.range_vector('http_server_active_requests{job="shop"}[10m]') == held
