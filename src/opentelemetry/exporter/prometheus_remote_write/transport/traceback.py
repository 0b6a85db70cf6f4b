"""Tracebacks without the frames of a request, whose local variables contain its headers."""

from __future__ import annotations

from types import TracebackType

_OURS = frozenset({"urllib3", "http", "opentelemetry", "botocore", "azure", "msal", "oauthlib"})


def foreign_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback after our own frames and those of our dependencies.

    That part is the application's: a signal handler that raised in the middle of a request.

    Args:
        traceback: From where an exception was caught to where it was raised.
    """
    rest = link = traceback
    while link is not None:
        if str(link.tb_frame.f_globals.get("__name__", "")).partition(".")[0] in _OURS:
            rest = link.tb_next
        link = link.tb_next
    return rest
