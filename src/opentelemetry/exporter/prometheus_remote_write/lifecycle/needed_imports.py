"""Imports that an exporter cannot do without: what becomes of it where they fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..messages.own_logger import OwnLogger
from .late_imports import forks_wait, is_passing

_logger = OwnLogger(__name__)


class NeededImports:
    """Logs each failure once, and remembers whether another attempt is of use.

    Attributes:
        are_impossible: Whether nothing is to be tried any more.
    """

    def __init__(self) -> None:
        self.are_impossible = False
        self._said = ""

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Make forks wait while modules are imported and used for the first time; raise no failure of theirs."""
        try:
            with forks_wait():
                yield
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever is imported in place of the real modules
            self.are_impossible = not is_passing(error)
            what = f"{type(error).__name__}: {error}"
            if what != self._said:
                self._said = what
                _logger.error("Metrics are not sent by Remote Write: a needed module cannot be imported: %s", what)  # noqa: TRY400
