"""A descriptor that is kept from export to export, and may be another file's by the time that it is used.

An application may close descriptors that are not its own (a daemon closes all of them) and open files under the same
numbers: what is written then goes into its file, and what is closed is its file. So a kept descriptor is compared first
with what it stood for.
"""

from __future__ import annotations

import os
from contextlib import suppress


class Descriptor:
    """One that was opened by us, and what it stood for then.

    Args:
        number: The descriptor; it is ours alone from now on.

    Attributes:
        identity: Of what it stood for: device and inode.

    Raises:
        OSError: There is no such descriptor.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.identity = _identity(number)

    def is_ours(self) -> bool:
        """Whether it still stands for the same file or socket."""
        try:
            return self.number >= 0 and _identity(self.number) == self.identity
        except OSError:
            return False

    def close(self) -> None:
        """Close it if it is still ours; nothing is raised."""
        if self.is_ours():
            with suppress(OSError):
                os.close(self.number)
        self.number = -1


def _identity(number: int) -> tuple[int, int]:
    status = os.fstat(number)
    return status.st_dev, status.st_ino
