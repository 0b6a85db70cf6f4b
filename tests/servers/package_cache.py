"""Packages unpacked by an earlier run, shared by processes that run at the same time."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.servers.file_lock import locked
from tests.servers.package import Package


@dataclass(frozen=True)
class PackageCache:
    """A folder with unpacked packages by key."""

    folder: Path

    def get(self, key: str, fill: Callable[[Path], Package]) -> Package:
        """The package kept under the key; fill(folder) puts it there if it is not, while others wait."""
        home = self.folder / key
        record = home.with_name(home.name + ".json")
        if not record.is_file():
            home.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.folder / "lock"):
                if not record.is_file():  # another process may have filled it while we waited
                    self._fill(home, record, fill)
        return Package(**json.loads(record.read_text()), root=home)

    def _fill(self, home: Path, record: Path, fill: Callable[[Path], Package]) -> None:
        """Fills the folder anew; the record comes last and whole, so that no broken attempt is taken for a package."""
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        package = fill(home)
        unfinished = record.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({"name": package.name, "version": package.version, "suite": package.suite}))
        unfinished.rename(record)
