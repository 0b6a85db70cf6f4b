"""An apt with a state of its own: it reads the machine's configuration and changes nothing of the system."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.servers.apt_sources import Source

# How the machine reaches its mirror, and nothing that would loosen the verification of signatures.
MACHINE_OPTIONS = re.compile(r"^Acquire::(?:https?::|Retries|ForceIPv|Check-Valid-Until|Check-Date).*;$", re.MULTILINE)
LISTS_ARE_FRESH_FOR = 24 * 3600
NEW_PACKAGE = re.compile(
    r"^Inst (\S+) \((\S+) ", re.MULTILINE
)  # "Inst name [old] (new" is an upgrade: it is here already


class AptError(Exception):
    """What apt said when it could not do what it was asked for."""


class PrivateApt:
    """Downloads packages of the given sources, verified with the archive's signature, without being root."""

    def __init__(self, suite: str, folder: Path, sources: Sequence[Source]):
        self.suite = suite
        self._folder = folder
        self._sources = sources
        self._stamp = folder / "updated"

    def update(self, *, force: bool = False) -> None:
        """Fetches the package lists, unless they are fresh enough."""
        if not force and self._stamp.is_file() and time.time() - self._stamp.stat().st_mtime < LISTS_ARE_FRESH_FOR:
            return
        for name in ("lists/partial", "cache/archives/partial", "log", "none"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "debian.sources").write_text("\n".join(source.stanza() for source in self._sources))
        configuration = self._folder / "apt.conf"
        configuration.touch(mode=0o600)  # a proxy's address may hold a password
        configuration.write_text(self._configuration())
        self._run("apt-get", "update")
        self._stamp.touch()

    def candidate(self, name: str) -> str:
        """The version that would be downloaded; empty when these sources do not have the package."""
        try:
            shown = self._run("apt-cache", "show", "--no-all-versions", name)
        except AptError:
            return ""
        match = re.search(r"^Version: (\S+)$", shown, re.MULTILINE)
        return match[1] if match else ""

    def missing_for(self, name: str) -> list[str]:
        """The package and those it depends on that the system does not have, each as name=version."""
        plan = self._run("apt-get", "install", "--simulate", "--no-install-recommends", name)
        return [f"{new}={version}" for new, version in NEW_PACKAGE.findall(plan)]

    def everything_for(self, name: str) -> list[str]:
        """The package and all that it depends on, whatever the system has, each as name=version."""
        nothing_installed = ("-o", "Dir::State::status=/dev/null")
        plan = self._run("apt-get", *nothing_installed, "install", "--simulate", "--no-install-recommends", name)
        return [f"{new}={version}" for new, version in NEW_PACKAGE.findall(plan)]

    def download(self, packages: Sequence[str], into: Path) -> list[Path]:
        """The .deb files of the packages, in the given folder."""
        self._run("apt-get", "download", *packages, folder=into)
        return sorted(into.glob("*.deb"))

    def _configuration(self) -> str:
        """Everything apt would read or write of the system is turned to our folder, but for what is installed.

        The sandbox's user is for root, whose apt would otherwise download as a user who cannot write into the checkout.
        """
        folder = self._folder
        return f"""\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "{folder}/none";
Dir::Etc::sourcelist "{folder}/debian.sources";
Dir::Etc::sourceparts "{folder}/none";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "{folder}/none";
Dir::State "{folder}";
Dir::State::lists "{folder}/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "{folder}/cache";
Dir::Cache::srcpkgcache "";
Dir::Log "{folder}/log";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::PDiffs "false";
Acquire::Retries "1";
Acquire::http::Timeout "20";
{_machine_options()}
"""

    def _run(self, *command: str, folder: Path | None = None) -> str:
        environment = {**os.environ, "LC_ALL": "C", "APT_CONFIG": str(self._folder / "apt.conf")}
        return run(command, environment, folder)


def apt_is_here() -> bool:
    """Whether this machine has the programs that get and unpack packages."""
    return all(shutil.which(program) for program in ("apt-get", "apt-cache", "apt-config", "dpkg-deb"))


def run(command: Sequence[str], environment: dict[str, str] | None = None, folder: Path | None = None) -> str:
    """What the command prints; AptError with its complaint when it fails."""
    try:
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
        )
    except subprocess.TimeoutExpired:
        raise AptError(f"{' '.join(command[:2])}: no end after 300 s") from None
    if done.returncode:
        complaint = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise AptError(f"{' '.join(command[:2])}: {' '.join(complaint)}")
    return done.stdout


def _machine_options() -> str:
    """The machine's own way to its mirror: proxies, certificates, and what it says about a mirror that is frozen."""
    return "\n".join(MACHINE_OPTIONS.findall(run(["apt-config", "dump"])))
