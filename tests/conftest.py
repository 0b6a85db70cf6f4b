import pytest
from hypothesis import settings

from tests.processes import guard, start_processes, unguard

pytest_plugins = ["tests.servers.fixtures"]

# No test asserts a time; a busy machine is no reason to fail.
settings.register_profile("default", deadline=None)
settings.register_profile("check", deadline=None, max_examples=20)  # `make check`: a first look, in seconds
settings.load_profile("default")


def pytest_configure(config):
    config.addinivalue_line("markers", "processes: starts a server or another process; put on by tests/conftest.py")


@pytest.hookimpl(tryfirst=True)  # before -m is looked at
def pytest_collection_modifyitems(items):
    for item in items:
        if start_processes(item):
            item.add_marker(pytest.mark.processes)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Hold a test that is not marked to it."""
    if item.get_closest_marker("processes") is None:
        guard(item.nodeid)
    try:
        return (yield)
    finally:
        unguard()
