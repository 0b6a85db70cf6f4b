from __future__ import annotations

from email.message import Message

import pytest

from opentelemetry.exporter.prometheus_remote_write.receiver.negotiation import negotiate
from opentelemetry.exporter.prometheus_remote_write.receiver.refusal import Refusal
from tests.receiver.messages import HEADERS_1_0, HEADERS_2_0

VERSION = "X-Prometheus-Remote-Write-Version"
V2 = HEADERS_2_0["Content-Type"]


def message(headers):
    built = Message()
    for name, value in headers.items():
        if value is not None:
            built[name] = value
    return built


@pytest.mark.parametrize(
    ("headers", "protocol"),
    [
        pytest.param(HEADERS_1_0, "1.0", id="1.0"),
        pytest.param(
            HEADERS_1_0 | {"Content-Type": "application/x-protobuf;proto=prometheus.WriteRequest"},
            "1.0",
            id="1.0 by its message's name",
        ),
        pytest.param(HEADERS_2_0, "2.0", id="2.0"),
        pytest.param(
            {name.upper(): value for name, value in HEADERS_2_0.items()}, "2.0", id="header names ignore case"
        ),
        pytest.param(HEADERS_1_0 | {"User-Agent": "otel-python/1.2.3.dev0 (linux) x/1"}, "1.0", id="a long User-Agent"),
    ],
)
def test_protocol_follows_from_the_headers(headers, protocol):
    assert negotiate(message(headers)) == protocol


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        pytest.param(HEADERS_1_0 | {"Content-Type": None}, 400, "header Content-Type is missing", id="no content type"),
        pytest.param(HEADERS_1_0 | {"Content-Type": "text/plain"}, 415, "'text/plain' is not known", id="text"),
        pytest.param(
            HEADERS_1_0 | {"Content-Type": "Application/X-Protobuf"},
            415,
            "is not known; known, to the letter:",
            id="case",
        ),
        pytest.param(HEADERS_2_0 | {"Content-Type": V2.replace(";", "; ")}, 415, "is not known", id="a space"),
        pytest.param(HEADERS_2_0 | {"Content-Type": V2.replace("=", '="') + '"'}, 415, "is not known", id="quotes"),
        pytest.param(HEADERS_2_0 | {"Content-Type": V2 + "2"}, 415, "is not known", id="another message"),
        pytest.param(
            HEADERS_1_0 | {"Content-Encoding": None}, 400, "header Content-Encoding is missing", id="no encoding"
        ),
        pytest.param(
            HEADERS_1_0 | {"Content-Encoding": "gzip"}, 415, "Content-Encoding 'gzip' is not known", id="gzip"
        ),
        pytest.param(HEADERS_1_0 | {VERSION: None}, 400, f"header {VERSION} is missing", id="no version"),
        pytest.param(HEADERS_1_0 | {VERSION: "2.0.0"}, 400, "is '2.0.0', but protocol 1.0 says 0.1.0", id="2 for 1"),
        pytest.param(HEADERS_2_0 | {VERSION: "0.1.0"}, 400, "is '0.1.0', but protocol 2.0 says 2.0.0", id="1 for 2"),
        pytest.param(HEADERS_1_0 | {"User-Agent": None}, 400, "header User-Agent is missing", id="no User-Agent"),
        pytest.param(
            HEADERS_1_0 | {"User-Agent": "python"}, 400, "does not name the sender and its version", id="agent"
        ),
        pytest.param(
            HEADERS_1_0 | {"content-type": "application/x-protobuf"},
            400,
            "header Content-Type is there 2 times",
            id="a header twice",
        ),
    ],
)
def test_missing_or_wrong_header_is_refused(headers, status, reason):
    with pytest.raises(Refusal) as refusal:
        negotiate(message(headers))
    assert reason in refusal.value.reason
    assert refusal.value.status == status
