"""Making an exporter out of the environment."""

from __future__ import annotations

from pathlib import Path

from tests.application import run

SCRIPT = Path(__file__).with_name("random_environment.py")


def test_whatever_the_environment_holds_nothing_is_raised_and_no_io_is_done(tmp_path):
    ended = run("python", SCRIPT, cwd=tmp_path)
    assert (ended.status, ended.errors) == (0, [])
    assert int(ended.output.split()[0]) > 0
