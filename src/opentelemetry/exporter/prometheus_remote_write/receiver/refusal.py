"""Why a request is not accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .notation import series_text

if TYPE_CHECKING:
    from ..model.remote_write import Labels

_LONGEST = 1000  # characters of either part


class Refusal(Exception):
    """A request breaks a rule of the protocol.

    Args:
        rule: One line for the sender: what is wrong.
        series: The labels of the series that it is about. The rule stands before it in the reason, because senders log
            only the beginning of what a receiver says.
        status: The HTTP status to answer with.
    """

    def __init__(self, rule: str, *, series: Labels | None = None, status: int = 400) -> None:
        rule = rule[:_LONGEST]
        reason = rule if series is None else f"{rule} (series {series_text(series)[:_LONGEST]})"
        super().__init__(reason)
        self.reason = reason
        self.status = status
