"""The likely cause of a failed request, and the variable to look at."""

from __future__ import annotations

from ..configuration.settings import PREFIX
from ..errors import Cause, SendError

_CLOCK_FIRST = 1.0  # seconds

_TWO_WRITERS = (
    "most likely two processes write the same series: give each its own service.instance.id (OTEL_RESOURCE_ATTRIBUTES)"
)
_CREDENTIALS = (
    f"check {PREFIX}USERNAME and {PREFIX}PASSWORD, {PREFIX}BEARER_TOKEN, what {PREFIX}AUTH needs, or {PREFIX}HEADERS "
    "(a tenant?)"
)
_WRITE_HTTPS = f"write https:// in {PREFIX}ENDPOINT"
_HINTS: dict[Cause, str] = {
    Cause.HOST_UNKNOWN: f"check the host in {PREFIX}ENDPOINT",
    Cause.UNREACHABLE: f"is the receiver running? Check host and port in {PREFIX}ENDPOINT",
    Cause.NO_DESCRIPTORS: (
        "this process has too many files and sockets open: raise its limit (ulimit -n) or find what keeps them open"
    ),
    Cause.TIMEOUT: f"check host and port in {PREFIX}ENDPOINT, {PREFIX}TIMEOUT, and how busy the receiver is",
    Cause.WANTS_TLS: f"the receiver speaks TLS: {_WRITE_HTTPS}",
    Cause.PERHAPS_WANTS_TLS: f"if the receiver speaks TLS, {_WRITE_HTTPS}",
    Cause.PROXY_UNREACHABLE: f"check {PREFIX}PROXY, HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
    Cause.PROXY_REFUSED: (
        "the proxy does not allow this host: have it allowed there, or reach the host without the proxy "
        f"({PREFIX}PROXY, NO_PROXY)"
    ),
    Cause.PROXY_CREDENTIALS: f"check the user and the password in {PREFIX}PROXY",
    Cause.REDIRECT: f"set {PREFIX}ENDPOINT to the URL that takes the data",
    Cause.NO_RECEIVER: (
        f"this is not a Remote Write receiver, but perhaps a login page or a gateway: check {PREFIX}ENDPOINT and what "
        "stands in front of the receiver"
    ),
    Cause.CREDENTIALS: _CREDENTIALS,
    Cause.AWS_CREDENTIALS: (
        f"Amazon accepts only signed requests: set {PREFIX}AUTH=sigv4; where it is set, allow aps:RemoteWrite to the "
        "user or role that signs (policy AmazonPrometheusRemoteWriteAccess)"
    ),
    Cause.AZURE_CREDENTIALS: (
        f"Azure accepts only tokens from Entra ID: set {PREFIX}AUTH=azure; where it is set, give the identity the role "
        '"Monitoring Metrics Publisher" on the data collection rule'
    ),
    Cause.PATH: (
        f"check the path in {PREFIX}ENDPOINT: it must be the write path, such as /api/v1/write or /api/v1/push"
    ),
    Cause.PROTOCOL: f"the receiver does not speak this version of Remote Write: check {PREFIX}PROTOCOL (auto?)",
    Cause.TOO_LARGE: f"a single series is too large: check its labels, and {PREFIX}RESOURCE_LABELS",
    Cause.RATE_LIMIT: (
        f"the receiver limits the rate: send less ({PREFIX}DROP_METRICS, {PREFIX}INTERVAL; with {PREFIX}PROTOCOL=1.0 "
        "no metadata goes with each series) or have the limit raised"
    ),
    Cause.REQUEST_RATE: (
        f"the receiver limits how many requests come: send fewer and larger ones ({PREFIX}INTERVAL, "
        f"{PREFIX}MAX_SAMPLES_PER_SEND, {PREFIX}MAX_CONCURRENT_REQUESTS) or have the limit raised"
    ),
    Cause.TOO_MANY_SERIES: (
        f"the receiver limits the number of series: send fewer ({PREFIX}DROP_METRICS, {PREFIX}MAX_SERIES) or have the "
        "limit that it names raised"
    ),
    Cause.OUT_OF_ORDER: _TWO_WRITERS,
    Cause.TOO_OLD: (
        f"the samples waited longer than the receiver accepts ({PREFIX}MAX_BUFFERED_AGE), this host's clock is "
        "behind, or another process that writes the same series is ahead (service.instance.id)"
    ),
    Cause.CLOCK: "correct the clock of this host or of the receiver (is time synchronised?)",
    Cause.NAME: (
        f"the receiver takes no UTF-8 names: set {PREFIX}TRANSLATION_STRATEGY to UnderscoreEscapingWithSuffixes, or "
        "allow them there"
    ),
    Cause.TOO_MANY_LABELS: (
        "target_info has a label for each resource attribute: send fewer (OTEL_RESOURCE_ATTRIBUTES, "
        f"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS) or set {PREFIX}DISABLE_TARGET_INFO=true; for other series check "
        f"{PREFIX}RESOURCE_LABELS"
    ),
    Cause.LABEL_VALUE: f"set {PREFIX}MAX_LABEL_VALUE_LENGTH to the receiver's limit, or shorten the attribute's value",
    Cause.METADATA: "shorten the instruments' descriptions, or have the receiver's limit on metadata raised",
    Cause.EXEMPLARS: f"set {PREFIX}DISABLE_EXEMPLARS=true",
    Cause.NATIVE_HISTOGRAMS: (
        f"the receiver may not take native histograms: check {PREFIX}DEFAULT_HISTOGRAM_AGGREGATION"
    ),
    Cause.CLASSIC_HISTOGRAMS: (
        "the receiver drops classic histograms, like the OpenTelemetry Collector: set "
        f"{PREFIX}CONVERT_HISTOGRAMS_TO_NHCB=true"
    ),
}


def hint(error: SendError, *, clock_set_back: float = 0.0) -> str:
    """Return the most likely cause of an error, as a clause; empty if the error itself says it.

    Args:
        error: Why the request was not accepted.
        clock_set_back: How many seconds this host's clock is behind the newest accepted samples.
    """
    if error.cause in {Cause.OUT_OF_ORDER, Cause.TOO_OLD} and clock_set_back > _CLOCK_FIRST:
        return (
            f"this host's clock was set back: the receiver has newer samples until {clock_set_back:.0f} s have passed"
        )
    return _HINTS.get(error.cause, "")
