"""`make demo`, as make runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import urllib3

from tests.servers import packages
from tests.servers.fixtures import obtain

CHECKOUT = Path(__file__).resolve().parents[2]


def demo(*variables, **environment):
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", f"VENV={sys.prefix}", *variables],
        cwd=CHECKOUT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode or done.stderr == ""  # make says what failed
    return done


def test_demo_shows_that_what_was_sent_has_arrived():
    done = demo()
    assert done.returncode == 0, done.stdout
    assert "400 in " in done.stdout
    assert "  ok  all 400 requests were counted under their route and status" in done.stdout
    assert "FAIL" not in done.stdout
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith("/checkout"))
    assert row[1:5] == ["96", "96", "0", "16"]
    assert re.fullmatch(
        r"There is, with HOLD=60 for a minute, a page with these metrics at http://127\.0\.0\.1:\d+/",
        done.stdout.splitlines()[-1],
    )


def test_demo_shows_the_same_in_a_real_prometheus():
    obtain("prometheus 3.x", packages.prometheus_current)
    done = demo("PROMETHEUS=1")
    assert done.returncode == 0, done.stdout
    assert "can be looked at while this runs: http://127.0.0.1:" in done.stdout
    assert "PromQL> histogram_quantile(0.95, " in done.stdout
    assert "FAIL" not in done.stdout


def test_demo_shows_the_alert_of_an_outage_and_what_arrives_afterwards():
    obtain("prometheus 3.x", packages.prometheus_current)
    done = demo("PROMETHEUS=1", "OUTAGE=1")
    assert done.returncode == 0, done.stdout
    assert "  ok  MetricsStopped was pending, then fired while the receiver was away" in done.stdout
    assert re.search("  ok  the [1-9][0-9]* intervals of the outage were delivered afterwards", done.stdout)


def test_demo_fails_where_nothing_arrives(tmp_path):
    """An empty package hides ours from the launcher: the shop serves, without instrumentation."""
    hidden = tmp_path / "opentelemetry_prometheus_remote_write"
    hidden.mkdir()
    (hidden / "__init__.py").touch()
    done = demo(PYTHONPATH=str(tmp_path))
    assert done.returncode
    assert "FAIL  all 400 requests were counted under their route and status" in done.stdout
    assert "Failed to auto initialize OpenTelemetry" in done.stdout


def test_demo_that_is_held_says_where_and_ends_in_good_order_on_ctrl_c():
    with subprocess.Popen(
        [sys.executable, "-m", "examples.launcher.demo", "--hold", "600"],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal interrupts the whole group
    ) as process:
        said = list(takewhile(lambda line: line != "Up for another 600 s, or until Ctrl-C:\n", process.stdout))
        place, page = process.stdout.readline(), process.stdout.readline().split()[-1]
        shown = urllib3.request("GET", f"{page}view/metrics", retries=False).json()
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0, [*said, rest]
    assert place.startswith("    the shop at http://127.0.0.1:")
    assert "  ok  the shop ended in good order on Ctrl-C" in rest
    assert "http_server_request_duration_seconds" in [each["name"] for each in shown["metrics"]]
    assert rest.endswith(f"There was a page with these metrics at {page}\n")
