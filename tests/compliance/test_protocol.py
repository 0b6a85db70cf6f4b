"""The suite's group "protocol": headers and body of a request of 2.0."""

import pytest

FRAMED = b"\xff\x06\x00\x00sNaPpY"


@pytest.fixture
def request_of_2_0(application):
    application.meter.create_gauge("test_metric").set(42)
    assert application.push()
    [request] = application.receiver.received
    return request


def test_http_post_method(start_application):
    # The receiver refuses every other method with 405.
    application = start_application()
    application.meter.create_gauge("test_metric").set(42)
    assert application.push()
    assert application.receiver.rejected == []


def test_content_type_protobuf(request_of_2_0):
    assert request_of_2_0.headers["Content-Type"].split(";")[0] == "application/x-protobuf"


def test_content_type_with_proto_param(request_of_2_0):
    assert request_of_2_0.headers["Content-Type"].split(";")[1:] == ["proto=io.prometheus.write.v2.Request"]


def test_content_encoding_snappy(request_of_2_0):
    assert request_of_2_0.headers["Content-Encoding"] == "snappy"


def test_version_header_present(request_of_2_0):
    assert len(request_of_2_0.headers.get_all("X-Prometheus-Remote-Write-Version")) == 1


def test_version_header_value(request_of_2_0):
    assert request_of_2_0.headers["X-Prometheus-Remote-Write-Version"] == "2.0.0"


def test_user_agent_present(request_of_2_0):
    product, _, version = request_of_2_0.headers["User-Agent"].partition("/")
    assert product == "OTel-Prometheus-Remote-Write-Exporter-Python"
    assert version


def test_snappy_block_format(request_of_2_0):
    assert not request_of_2_0.body.startswith(FRAMED)


def test_protobuf_parseable(application, request_of_2_0):
    [message] = application.messages
    assert request_of_2_0.protocol == "2.0"
    assert len(message.symbols) > 1
    assert len(message.timeseries) == 1


@pytest.mark.parametrize("header", ["Content-Type", "content-encoding", "X-Prometheus-Remote-Write-Version"])
def test_custom_headers_cannot_override_reserved_ones(start_application, header):
    application = start_application(headers={header: "mine", "X-Scope-OrgID": "tenant"})
    application.meter.create_gauge("test_metric").set(42)
    assert application.push()
    [request] = application.receiver.received
    assert "mine" not in request.headers.values()
    assert request.headers["X-Scope-OrgID"] == "tenant"
