"""Errors, as types that carry the decision.

::

    RemoteWriteError
    ├── InvalidSetting (also a ValueError)   an argument or a variable is wrong
    ├── Untranslatable                       a metric or data point has no Prometheus form; it is dropped alone
    │   └── SeriesLimitExceeded              it has one, but the process has reached its series limit
    └── SendError                            a request was not accepted
        ├── Retryable                        the same bytes may be accepted later
        ├── Rejected                         the receiver has answered for good
        ├── Unsupported                      the receiver does not speak this version of the protocol
        └── Unsendable                       nothing was sent, and nothing will be until the configuration is fixed
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class RemoteWriteError(Exception):
    """The base class of all errors."""


class InvalidSetting(RemoteWriteError, ValueError):
    """A setting is invalid.

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
        reason: A short word under which dropped points are counted, such as ``delta`` or ``name``.
        message: The sentence for the log.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SeriesLimitExceeded(Untranslatable):
    """A data point would exceed the process's series limit; there may be room for it later.

    Args:
        limit: How many series the process may have.
    """

    def __init__(self, limit: int) -> None:
        super().__init__("max_series", f"the process has {limit} series, the most that it may have")
        self.limit = limit


class Cause(Enum):
    """Why a request was not accepted, as far as the answer, or its absence, shows."""

    UNKNOWN = "unknown"
    # There was no answer.
    HOST_UNKNOWN = "host_unknown"
    UNREACHABLE = "unreachable"
    NO_DESCRIPTORS = "no_file_descriptors"
    TIMEOUT = "timeout"
    CLOSED = "connection_closed"
    NOT_HTTP = "not_http"
    TLS = "tls"
    UNTRUSTED = "untrusted"
    NO_TLS = "receiver_without_tls"
    WANTS_TLS = "receiver_wants_tls"
    PERHAPS_WANTS_TLS = "receiver_perhaps_wants_tls"
    PROXY_UNREACHABLE = "proxy_unreachable"
    NOT_SENT = "not_sent"
    UNUSABLE_SETTING = "unusable_setting"
    # Something other than the receiver answered, or the receiver did before reading the request.
    PROXY_REFUSED = "proxy_refused"
    PROXY_CREDENTIALS = "proxy_credentials"
    REDIRECT = "redirect"
    NO_RECEIVER = "no_receiver"
    CREDENTIALS = "credentials"
    AWS_CREDENTIALS = "aws_credentials"
    AZURE_CREDENTIALS = "azure_credentials"
    PATH = "path"
    SWITCHED_OFF = "switched_off"
    PROTOCOL = "protocol"
    # The receiver has read the request.
    TOO_LARGE = "too_large"
    RATE_LIMIT = "rate_limit"
    REQUEST_RATE = "request_rate"
    TOO_MANY_SERIES = "too_many_series"
    OUT_OF_ORDER = "out_of_order"
    TOO_OLD = "too_old"
    CLOCK = "clock"
    NAME = "name"
    TOO_MANY_LABELS = "too_many_labels"
    LABEL_VALUE = "label_value"
    METADATA = "metadata"
    EXEMPLARS = "exemplars"
    NATIVE_HISTOGRAMS = "native_histograms"
    CLASSIC_HISTOGRAMS = "classic_histograms"
    NOT_WRITTEN = "not_written"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    # A bug of this exporter.
    INTERNAL = "internal"


class SendError(RemoteWriteError):
    """A request was not accepted; the text is one line, fit for a log, and holds no secret.

    Args:
        message: What happened.
        cause: Why, for decisions and hints.
    """

    def __init__(self, message: str, *, cause: Cause = Cause.UNKNOWN) -> None:
        super().__init__(message)
        self.cause = cause


class Retryable(SendError):
    """The same bytes may be accepted later: network errors, timeouts, 5xx and 429.

    Args:
        message: What happened.
        cause: Why.
        status: The HTTP status; None if there was no answer.
        retry_after: The receiver's Retry-After in seconds; None if it sent none.
    """

    def __init__(
        self,
        message: str,
        *,
        cause: Cause = Cause.UNKNOWN,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, cause=cause)
        self.status = status
        self.retry_after = retry_after


class Rejected(SendError):
    """The answer is final: 3xx, 4xx other than 429, or something that only looks like a receiver's answer.

    Args:
        message: What happened, with the beginning of what the receiver said.
        cause: Why.
        status: The HTTP status.
        headers: The answer's headers.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        cause: Cause = Cause.UNKNOWN,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(message, cause=cause)
        self.status = status
        self.headers = headers


class Unsupported(SendError):
    """The receiver does not speak this protocol version; it has stored nothing, and the other version may work."""

    def __init__(self, message: str, *, cause: Cause = Cause.PROTOCOL) -> None:
        super().__init__(message, cause=cause)


class Unsendable(SendError):
    """Nothing was sent, because sending would not be safe: an unreadable secret or certificate, an unverified peer."""

    def __init__(self, message: str, *, cause: Cause = Cause.UNUSABLE_SETTING) -> None:
        super().__init__(message, cause=cause)
