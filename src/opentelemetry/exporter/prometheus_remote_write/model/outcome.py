"""What becomes of samples."""

from __future__ import annotations

from enum import Enum


class Outcome(str, Enum):
    """What became of samples; those without an outcome are waiting.

    Each sample has one outcome in the end. A member's value is the word for it in the log.
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # the receiver refused part of a request and did not say which
    BUFFER_FULL = "buffer full"
    TOO_OLD = "too old"
    NOT_KEPT = "not kept"
    AT_EXIT = "at exit"
    FAULT = "fault"

    @property
    def is_drop(self) -> bool:
        """Whether the samples were given up without a final answer from the receiver."""
        return self not in {Outcome.ACCEPTED, Outcome.REJECTED, Outcome.UNKNOWN}
