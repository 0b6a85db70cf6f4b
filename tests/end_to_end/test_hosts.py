"""Every host counts exactly: the rows of the table in docs/reference/combinations.md."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.combinations import PAGE
from tests.end_to_end import installations
from tests.end_to_end.hosts import HOSTS
from tests.end_to_end.hosts.driver import measure
from tests.end_to_end.hosts.table import AT_ONCE, HEAD, row, without_seconds
from tests.servers.package import UnavailableError


@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory):
    """What is measured of the hosts that are asked for, several side by side."""
    asked = [
        item.callspec.params["host"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
    asked = [host for host in asked if host.since <= installations.LAUNCHER]
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {host: pool.submit(measure, host, tmp_path_factory.mktemp("host") / "files") for host in asked}
    pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(600)  # the first one may wait for what is compiled
@pytest.mark.parametrize("host", [pytest.param(host, id=f"{number} {host}") for number, host in enumerate(HOSTS)])
def test_every_increment_arrives_once_and_nothing_hangs(outcomes, host):
    if host.since > installations.LAUNCHER:
        pytest.skip(
            f"the launcher of opentelemetry-instrumentation 0.{host.since} does what this needs, this one does not"
        )
    try:
        outcome = outcomes[host].result()
    except UnavailableError as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    found = (outcome.tells_whole, outcome.tells_last, outcome.faults)
    assert found == (host.tells_whole, host.tells_last, ()), outcome.log
    assert without_seconds(row(host, outcome)) in without_seconds(PAGE.read_text(encoding="utf-8"))


def test_page_has_all_hosts_and_no_others():
    _, _, table = PAGE.read_text(encoding="utf-8").partition(HEAD)
    shown = [line.split(" | ")[:2] for line in table.splitlines()]
    assert shown == [*map(list, dict.fromkeys((f"| {host.name}", host.kind or " ") for host in HOSTS))]
