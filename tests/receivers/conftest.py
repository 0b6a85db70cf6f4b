"""Receivers for the tests here, which only `make receivers` runs: building takes too long for all others."""

from __future__ import annotations

import os

import pytest

from tests.receivers.receivers import RECEIVERS
from tests.servers.fixtures import obtain


@pytest.fixture(autouse=True, scope="session")
def asked_for():
    if os.environ.get("RECEIVERS") != "1":
        pytest.skip("only `make receivers` builds and runs these")


@pytest.fixture(scope="module")
def server(request):
    """The receiver of the name that the test gives, for all tests that give it in turn."""
    with obtain(request.param, RECEIVERS[request.param].make) as server:
        yield server
