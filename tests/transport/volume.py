"""A volume with the files of a Secret, as kubelet mounts and updates it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


class Volume:
    """Files that are links by way of ``..data``, itself a link that an update leads elsewhere in one step.

    That is what Kubernetes does (pkg/volume/util/atomic_writer.go).

    Args:
        folder: Where it is mounted.
        files: Their contents by name.
    """

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.update(files)
        for name in files:
            (folder / name).symlink_to(f"..data/{name}")

    def __getitem__(self, name: str) -> Path:
        return self.folder / name

    def update(self, files: Mapping[str, bytes]) -> None:
        """Exchange all files together, for others of the same names."""
        new = Path(tempfile.mkdtemp(prefix="..", dir=self.folder))
        for name, data in files.items():
            (new / name).write_bytes(data)
        data_link = self.folder / "..data"
        old = data_link.resolve()
        next_link = self.folder / "..data_tmp"
        next_link.symlink_to(new.name)
        next_link.rename(data_link)
        if old != data_link:
            shutil.rmtree(old)
