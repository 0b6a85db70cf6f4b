"""What can go wrong, as types that carry the decision.

::

    RemoteWriteError
    ├── InvalidSetting (also a ValueError)   an argument or a variable is wrong
    ├── Untranslatable                       a metric or data point has no Prometheus form; it is dropped alone
    │   └── SeriesLimitExceeded                       it has one, but the process has as many series as it may
    └── SendError                            a request was not accepted
        ├── Retryable                        the same bytes may be accepted later
        ├── Rejected                         the receiver has answered for good
        ├── Unsupported                      the receiver does not speak this version of the protocol
        └── Unsendable                       nothing was sent, and nothing will be until the configuration is mended
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class RemoteWriteError(Exception):
    """The root of the tree."""


class InvalidSetting(RemoteWriteError, ValueError):
    """A setting cannot be used.

    Args:
        setting: The keyword or the variable, as the user wrote it.
        reason: What is wrong and what to do, without the value of a secret.
    """

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting} {reason}")
        self.setting = setting
        self.reason = reason


class Untranslatable(RemoteWriteError):
    """A metric, data point or label has no Prometheus form.

    Args:
        reason: A short word for the count of what was dropped, such as ``delta`` or ``name``.
        message: The sentence for the log.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SeriesLimitExceeded(Untranslatable):
    """A data point would make a series more than the process may have; there may be room for it later.

    Args:
        limit: How many series that is.
    """

    def __init__(self, limit: int) -> None:
        super().__init__("max_series", f"the process has {limit} series, as many as it may")
        self.limit = limit


class SendError(RemoteWriteError):
    """A request was not accepted; the text is one line, fit for a log, and holds no secret."""


class Retryable(SendError):
    """The same bytes may be accepted later: network errors, timeouts, 5xx and 429.

    Args:
        message: What happened.
        status: The HTTP status, or None where there was no answer.
        retry_after: The receiver's wish in seconds, or None.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Rejected(SendError):
    """The receiver has answered for good: 3xx, and 4xx other than 429.

    Args:
        message: What happened, with the beginning of what the receiver said.
        status: The HTTP status.
        body: The first bytes of the receiver's answer.
        headers: The answer's headers.
    """

    def __init__(
        self, message: str, *, status: int, body: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.headers = headers


class Unsupported(SendError):
    """The receiver does not speak this version of the protocol; it has stored nothing, and the other version may do."""


class Unsendable(SendError):
    """Nothing was sent, because sending would not be safe: an unreadable secret or certificate, an unverified peer."""
