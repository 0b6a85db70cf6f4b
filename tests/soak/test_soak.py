import subprocess
import sys

from tests.servers import packages
from tests.servers.fixtures import obtain
from tests.soak.chaos import Chaos


def test_half_a_minute_with_a_prometheus_that_comes_and_goes():
    """The short form of `make soak`; in a process of its own, because it counts what the process holds."""
    obtain("prometheus 3.x", packages.prometheus_current)
    arguments = [sys.executable, "-m", "tests.soak", "--seconds", "20", "--seed", "20"]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith("as it should be\n")


def test_a_few_rounds_of_chaos(start_prometheus, tmp_path):
    """The short form of `make chaos`."""
    report = Chaos(start_prometheus(features=()), tmp_path, seed=3).run(rounds=2)
    assert not report.faults, report.faults
    assert report.workers_killed >= 2
    assert report.samples
