"""A package is unpacked once, by whoever comes first, and never taken for complete when it is not."""

import threading
import time
from pathlib import Path

import pytest

from tests.servers.package import Package, UnavailableError, upstream_numbers
from tests.servers.package_cache import PackageCache


def test_a_package_is_unpacked_once(tmp_path):
    cache, fills = PackageCache(tmp_path), []
    packages = [cache.get("own/server", lambda home: _fill(home, fills)) for _ in range(2)]
    assert packages[0] == packages[1] == Package("server", "1.2-3", "bookworm", tmp_path / "own" / "server")
    assert packages[0].path("usr/bin/ser*").read_text() == "a program"
    assert len(fills) == 1


def test_those_who_come_at_the_same_time_wait_for_the_first(tmp_path):
    cache, fills, packages = PackageCache(tmp_path), [], []
    threads = [
        threading.Thread(target=lambda: packages.append(cache.get("own/server", lambda home: _fill(home, fills))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(packages) == 4
    assert len(fills) == 1


def test_what_a_broken_attempt_left_is_removed(tmp_path):
    def break_off(home: Path) -> Package:
        (home / "half").touch()
        raise UnavailableError("the mirror is away")

    cache = PackageCache(tmp_path)
    with pytest.raises(UnavailableError, match="the mirror is away"):
        cache.get("own/server", break_off)
    package = cache.get("own/server", lambda home: _fill(home, []))
    assert not (package.root / "half").exists()


def test_a_file_that_the_package_does_not_have_is_named(tmp_path):
    with pytest.raises(UnavailableError, match=r"server 1.2-3 has no usr/sbin/other"):
        Package("server", "1.2-3", "bookworm", tmp_path).path("usr/sbin/other")


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("3.5.3+ds1-6", (3, 5, 3)), ("2.42.0+ds-5+deb12u1", (2, 42, 0)), ("1:1.10-2", (1, 10)), ("", ())],
)
def test_versions_are_compared_by_upstreams_numbers(version, numbers):
    assert upstream_numbers(version) == numbers


def _fill(home: Path, fills: list[Path]) -> Package:
    fills.append(home)
    time.sleep(0.1)
    (home / "usr" / "bin").mkdir(parents=True)
    (home / "usr" / "bin" / "server").write_text("a program")
    return Package("server", "1.2-3", "bookworm", home)
