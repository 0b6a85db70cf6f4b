import signal

import pytest
from hypothesis import settings

from tests import shared_folder
from tests.processes import FOLDERS, guard, start_processes, unguard

pytest_plugins = ["tests.servers.fixtures"]

# No test asserts a time; a busy machine is no reason to fail.
settings.register_profile("default", deadline=None)
settings.register_profile("check", deadline=None, max_examples=20)  # `make check`: a first look, in seconds
settings.register_profile("fuzz", deadline=None, max_examples=1000)  # `make fuzz`: rounds of many
settings.load_profile("default")


def pytest_configure(config):
    config.addinivalue_line("markers", "processes: starts a server or another process; put on by tests/conftest.py")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has it ignored in what it starts in the background, and every program of the tests would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):  # in the process that starts the workers, if there are any
        shared_folder.make()


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shared_folder.remove()


@pytest.hookimpl(tryfirst=True)  # before -m is looked at
def pytest_collection_modifyitems(items):
    for item in items:
        if start_processes(item):
            item.add_marker(pytest.mark.processes)
    # The slowest files first: a worker that has one left at the end keeps all others waiting.
    items.sort(key=lambda item: FOLDERS.isdisjoint(item.path.parts))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Hold a test that is not marked to it."""
    if item.get_closest_marker("processes") is None:
        guard(item.nodeid)
    try:
        return (yield)
    finally:
        unguard()
