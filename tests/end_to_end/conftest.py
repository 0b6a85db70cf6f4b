"""Applications under the real launcher, and the strict receiver that they push to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import LAUNCHER, run
from tests.end_to_end import installations

SHOP = Path(__file__).with_name("shop.py")


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    """A folder with our package alone."""
    return installations.package(tmp_path_factory.mktemp("ours"))


@pytest.fixture
def plainly(ours, tmp_path):
    """Runs the shop where nothing else is installed than our package and what it needs."""

    def launch(*flags, before=(), after=(), **variables):
        folders = os.pathsep.join(map(str, (*before, ours, *after)))
        return run(
            *(LAUNCHER, *flags, "python", SHOP),
            cwd=tmp_path,
            python=installations.plain_python(ours),
            PYTHONPATH=folders,
            **variables,
        )

    return launch


@pytest.fixture
def fully(tmp_path):
    """Runs the shop, or a script, with our distro in the tests' environment, which has opentelemetry-distro, too."""

    def launch(source="", **variables):
        script = SHOP
        if source:
            script = tmp_path / "app.py"
            script.write_text(source)
        given = {
            "OTEL_PYTHON_DISTRO": "prometheus_remote_write",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "system_metrics",  # it has a hundred series of its own
            **variables,
        }
        return run(LAUNCHER, "python", script, cwd=tmp_path, **given)

    return launch
