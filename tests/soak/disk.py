"""A small disk of its own, that can be filled, and whose files can be spoilt."""

from __future__ import annotations

import errno
import os
import random
import subprocess
from pathlib import Path

_PAGE = 4096


class Disk:
    """Runs inside a with block; a file system of its own where this user may mount one, else a folder.

    Args:
        path: Where it is; made here.
        size: In bytes.

    Attributes:
        is_own: Whether it can be filled.
    """

    def __init__(self, path: Path, size: int = 8 << 20):
        self.path = path
        self._size = size
        self._ballast = path / "ballast"
        self.is_own = False

    def __enter__(self):
        self.path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={self._size},mode=0700", "tmpfs", str(self.path)]
        try:
            self.is_own = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            self.is_own = False
        return self

    def __exit__(self, *_):
        if self.is_own:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)

    @property
    def bytes(self) -> int:
        """What the buffers take."""
        return sum(path.stat().st_size for path in self.path.glob("prw-*.db*"))

    def fill(self) -> bool:
        """Leave no room; return whether that can be done."""
        if not self.is_own:
            return False
        with self._ballast.open("ab", buffering=0) as file:
            for size in (_PAGE * 16, _PAGE):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
        return True

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def corrupt(self, chance: random.Random) -> str:
        """Overwrite a page of one file; return which writer's it was, or nothing where there is no file."""
        paths = [path for path in sorted(self.path.glob("prw-*.db*")) if path.suffix != ".db-shm"]
        if not (paths := [path for path in paths if path.stat().st_size >= _PAGE]):
            return ""
        path = chance.choice(paths)
        page = chance.randrange(path.stat().st_size // _PAGE)
        with path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), chance.randbytes(_PAGE), page * _PAGE)
        return path.name.split("-")[2]
