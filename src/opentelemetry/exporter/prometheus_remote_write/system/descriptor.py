"""A descriptor that is kept from export to export, and may be another file's when it is used again.

An application may close descriptors that are not its own (a daemon closes all of them) and open files under the same
numbers: writing or closing would then hit the application's file. So a kept descriptor is first compared with what it
stood for.
"""

from __future__ import annotations

import os
from contextlib import suppress


class Descriptor:
    """A descriptor that we opened, and what it stood for then.

    Args:
        number: The descriptor, which this object owns from now on.

    Attributes:
        identity: Device and inode that it stood for.

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
        """Close it if it is still ours; raise nothing."""
        if self.is_ours():
            with suppress(OSError):
                os.close(self.number)
        self.number = -1


def _identity(number: int) -> tuple[int, int]:
    status = os.fstat(number)
    return status.st_dev, status.st_ino
