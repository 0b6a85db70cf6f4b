import logging
import threading
from contextlib import suppress

import pytest
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from opentelemetry.exporter.prometheus_remote_write.errors import Retryable
from opentelemetry.exporter.prometheus_remote_write.transport.suppressed_telemetry import suppressed_telemetry
from tests.transport.scripted_server import raw

LOGGERS = ["connection", "connectionpool", "poolmanager", "response", "util.retry"]


@pytest.mark.parametrize("name", LOGGERS)
def test_urllib3_says_nothing_inside_and_speaks_again_outside(caplog, name):
    logger = logging.getLogger(f"urllib3.{name}")
    with caplog.at_level(logging.DEBUG):
        with suppressed_telemetry():
            logger.warning("inside")
        logger.warning("outside")
    assert caplog.messages == ["outside"]


def test_another_thread_is_not_silenced(caplog):
    with suppressed_telemetry():
        thread = threading.Thread(target=logging.getLogger("urllib3.connectionpool").warning, args=("of another",))
        thread.start()
        thread.join()
    assert caplog.messages == ["of another"]


def test_the_application_keeps_its_own_records(caplog):
    with suppressed_telemetry():
        logging.getLogger("application").warning("mine")
    assert caplog.messages == ["mine"]


def test_our_requests_are_not_instrumented():
    with suppressed_telemetry():
        assert not is_instrumentation_enabled()
    assert is_instrumentation_enabled()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="an answer"),
        pytest.param(b"HTTP/1.1 204 No Content\r\nno header\r\nContent-Length: 0\r\n\r\n", id="a header that is none"),
        pytest.param(b"HTTP/1.1 500 No\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", id="two lengths"),
        pytest.param(b"garbage", id="no answer"),
    ],
)
def test_a_request_leaves_no_record_behind(start_server, make_transport, caplog, recwarn, answer):
    server = start_server(raw(answer))
    with caplog.at_level(logging.DEBUG), suppress(Retryable):
        make_transport(f"{server.url}/?token=secret").post(b"x", {}, 60)
    assert caplog.messages == []
    assert list(recwarn) == []
