import gc
import re
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests import shared_folder
from tests.processes import FOLDERS, guard, start_processes, unguard

pytest_plugins = ["tests.servers.fixtures"]

SLOWEST = {
    f"tests/{name}.py": place
    for place, name in enumerate(
        (
            "end_to_end/test_processes_exit",
            "end_to_end/test_hosts",
            "end_to_end/test_combinations",
            "end_to_end/test_clouds",
            "end_to_end/test_demo",
            "docs/test_typed_commands",
            "end_to_end/test_frameworks",
            "end_to_end/test_check",
            "benchmarks/test_benchmark",
            "end_to_end/test_rotation",
            "end_to_end/test_prometheus",
            "end_to_end/test_injection_anywhere",
            "soak/test_soak",
            "end_to_end/test_bad_environment",
            "entry_points/test_preview",
            "transport/test_pool",
            "transport/test_secrets",
            "test_caches",
        )
    )
}
"""Files that take more than ten seconds, the slowest first."""

_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+")  # in an object's repr

# No test asserts a time; a busy machine is no reason to fail.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make check`: a first look, in seconds
settings.register_profile("check", settings.get_profile("default"), max_examples=20)
# `make fuzz`: rounds of many
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=1000)
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


def pytest_ignore_collect(collection_path, config):
    # `make check`: to import what would be deselected takes a third of the collection, in each worker
    return True if config.option.markexpr == "not processes" and collection_path.name in FOLDERS else None


@pytest.hookimpl(tryfirst=True)  # before -m is looked at
def pytest_collection_modifyitems(items):
    for item in items:
        if _ADDRESS.search(item.nodeid):
            raise pytest.UsageError(f"{item.nodeid} is called otherwise in each process: give it an id")
        if start_processes(item):
            item.add_marker(pytest.mark.processes)
    items.sort(key=_place)


def pytest_collection_finish():
    gc.collect()
    gc.freeze()  # else each gc.collect() of a test looks through all tests


def _place(item):
    """The slowest files first: a worker that has one left at the end keeps all others waiting."""
    file = item.path.relative_to(item.config.rootpath)
    return SLOWEST.get(file.as_posix(), len(SLOWEST)), FOLDERS.isdisjoint(file.parts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Hold a test that is not marked to it."""
    if item.get_closest_marker("processes") is None:
        guard(item.nodeid)
    try:
        return (yield)
    finally:
        unguard()
