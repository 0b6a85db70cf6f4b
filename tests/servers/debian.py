"""Debian packages beside the system: downloaded, verified and unpacked into the checkout, never installed.

Two suites are in use. The machine's own gives what its users have today. A newer one is looked for where the own one is
too old: the archive's aliases stable, testing and unstable are asked in this order, and the first that has a sufficient
version is taken, because an older suite's binaries ask less of this machine's C library.
"""

import platform
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.servers.apt import AptError, PrivateApt, apt_is_here, run
from tests.servers.apt_sources import Source, release_of_this_machine, sources_of_release
from tests.servers.package import Package, UnavailableError, upstream_numbers
from tests.servers.package_cache import PackageCache

CHECKOUT = Path(__file__).resolve().parents[2]
NEWER_SUITES = ("stable", "testing", "unstable")


class Debian:
    """The archive that this machine gets its packages from."""

    def __init__(self) -> None:
        if not apt_is_here():
            raise UnavailableError("this machine has no apt and dpkg to get it with")
        release = release_of_this_machine()
        self.codename = release.get("VERSION_CODENAME", "")
        self.sources: list[Source] = sources_of_release(release.get("ID", "debian"), self.codename)
        if not self.sources:
            raise UnavailableError(f"apt has no source for this machine's release {self.codename!r}")
        # Release and processor are part of the path, because several machines may see one checkout.
        self.cache = PackageCache(CHECKOUT / ".servers" / f"{self.codename}-{platform.machine()}")

    def of_own_suite(self, name: str) -> Package:
        """The package as the machine's own release has it."""
        return self.cache.get(f"own/{name}", lambda home: self._fetch(self._own_apt(), name, home, lambda _: [name]))

    def of_own_suite_with_libraries(self, name: str) -> Package:
        """The same together with the packages it depends on, as far as the machine lacks them."""
        return self.cache.get(
            f"own/{name}", lambda home: self._fetch(self._own_apt(), name, home, lambda apt: apt.missing_for(name))
        )

    def at_least(self, name: str, minimum: tuple[int, ...], binary: str) -> Package:
        """The package from the oldest suite whose version suffices, provided that its binary runs here."""
        wanted = ".".join(map(str, minimum))
        package = self.cache.get(f"since-{wanted}/{name}", lambda home: self._fetch_at_least(name, minimum, home))
        _check_runs(package, binary)
        return package

    def of_newer_suite_with_everything(self, name: str, finish: Callable[[Path], None]) -> Package:
        """The package from the oldest newer suite that has it, with all that it needs, the C library included.

        Args:
            name: Of the package.
            finish: Makes what was unpacked run where it is.
        """
        return self.cache.get(f"whole/{name}", lambda home: self._fetch_everything(name, finish, home))

    def _fetch_everything(self, name: str, finish: Callable[[Path], None], home: Path) -> Package:
        for suite in NEWER_SUITES:
            apt = PrivateApt(suite, self.cache.folder / "apt" / suite, [self.sources[0].of_suite(suite)])
            version, _ = _look_up(apt, name)
            if version:
                package = self._fetch(apt, name, home, lambda apt: apt.everything_for(name))
                try:
                    finish(home.resolve())
                except AptError as error:
                    raise UnavailableError(f"{name} {version} of {suite} does not run: {error}") from error
                return package
        raise UnavailableError(f"neither {', '.join(NEWER_SUITES[:-1])} nor {NEWER_SUITES[-1]} has it")

    def _fetch_at_least(self, name: str, minimum: tuple[int, ...], home: Path) -> Package:
        found = []
        for apt in self._suites_upwards():
            version, complaint = _look_up(apt, name)
            if upstream_numbers(version) >= minimum:
                return self._fetch(apt, name, home, lambda _: [name])
            found.append(f"{apt.suite}: {version or complaint or 'none'}")
        raise UnavailableError(f"no suite has it, found {', '.join(found)}")

    def _fetch(self, apt: PrivateApt, name: str, home: Path, choose: Callable[[PrivateApt], list[str]]) -> Package:
        """Unpacks the chosen packages into the folder; lists that turn out to be outdated are renewed once."""
        try:
            apt.update()
            try:
                _unpack(apt, choose(apt), home)
            except AptError:
                apt.update(force=True)
                _unpack(apt, choose(apt), home)
            return Package(name, apt.candidate(name), apt.suite, home)
        except AptError as error:
            raise UnavailableError(str(error)) from error

    def _own_apt(self) -> PrivateApt:
        return PrivateApt(self.codename, self.cache.folder / "apt" / self.codename, self.sources)

    def _suites_upwards(self) -> Iterator[PrivateApt]:
        """The machine's own suite, then the newer ones from the same mirror with the same key."""
        yield self._own_apt()
        for suite in NEWER_SUITES:
            yield PrivateApt(suite, self.cache.folder / "apt" / suite, [self.sources[0].of_suite(suite)])


def _look_up(apt: PrivateApt, name: str) -> tuple[str, str]:
    """The version that a suite has, or a complaint: not every mirror has every suite."""
    try:
        apt.update()
    except AptError as error:
        return "", str(error)
    return apt.candidate(name), ""


def _unpack(apt: PrivateApt, packages: list[str], home: Path) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent) as downloads:
        for archive in apt.download(packages, Path(downloads)):
            run(["dpkg-deb", "-x", str(archive), str(home)])


def _check_runs(package: Package, binary: str) -> None:
    """A newer suite's binary may need a newer C library than this machine has."""
    try:
        run([str(package.path(binary)), "--version"])
    except AptError as error:
        raise UnavailableError(f"{package.name} {package.version} of {package.suite} does not run: {error}") from error
