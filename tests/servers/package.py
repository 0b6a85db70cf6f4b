"""A Debian package whose files lie beside the system, or that the system has installed."""

import re
from dataclasses import dataclass
from pathlib import Path


class UnavailableError(Exception):
    """A server cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Package:
    """An unpacked package: its files lie below root as they would below / if it were installed."""

    name: str
    version: str
    suite: str
    root: Path

    def path(self, relative: str) -> Path:
        """The file that the package would install there; an asterisk stands for what differs between machines."""
        found = next(self.root.glob(relative), None)
        if found is None:
            raise UnavailableError(f"{self.name} {self.version} has no {relative}")
        return found

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which the package's programs find the libraries that were unpacked with it."""
        if self.root == Path("/"):
            return {}
        folders = [*self.root.glob("usr/lib/*-linux-*"), *self.root.glob("lib/*-linux-*")]
        own = {library.parent for folder in folders for library in folder.glob("*/lib*.so*")}  # such as pulseaudio's
        folders += sorted(own)
        return {"LD_LIBRARY_PATH": ":".join(map(str, folders))} if folders else {}

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the upstream version: those of 3.5.3+ds1-6 are 3, 5 and 3."""
        return upstream_numbers(self.version)


def upstream_numbers(version: str) -> tuple[int, ...]:
    """What of a package's version the upstream project counts, to be compared; nothing for no version."""
    match = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", version)
    return tuple(int(number) for number in match[1].split(".")) if match else ()


def installed(name: str, binary: str) -> Package | None:
    """The system's own installation of the server, if there is one."""
    return Package(name, "installed", "system", Path("/")) if (Path("/") / binary).is_file() else None
