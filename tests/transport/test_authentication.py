import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.errors import Unsendable
from opentelemetry.exporter.prometheus_remote_write.messages.secret import Secret
from opentelemetry.exporter.prometheus_remote_write.transport.authentication import authentication
from opentelemetry.exporter.prometheus_remote_write.transport.authentication.basic import basic, basic_from_userinfo
from opentelemetry.exporter.prometheus_remote_write.transport.authentication.outgoing import Outgoing
from opentelemetry.exporter.prometheus_remote_write.transport.renewal_failures import RenewalFailures


@pytest.mark.parametrize(
    ("username", "password", "value"),
    [
        pytest.param("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", id="the example of RFC 7617"),
        pytest.param("test", "123£", "Basic dGVzdDoxMjPCow==", id="its example in UTF-8"),
        pytest.param("token", "", "Basic dG9rZW46", id="no password"),
    ],
)
def test_basic_authentication(username, password, value):
    assert basic(username, password) == value


def test_userinfo_is_decoded():
    assert basic_from_userinfo("us%65r:p%40ss%3Aw:rd") == basic("user", "p@ss:w:rd")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secret"
    path.write_text("from a file\n")
    return str(path)


REQUEST = Outgoing("POST", "http://host/write", {}, b"")


def headers_of(**settings):
    secret = {"username", "password", "bearer_token"}
    given = {name: Secret(value) if name in secret else value for name, value in settings.items()}
    return authentication(Settings(**given), {}, RenewalFailures()).headers(REQUEST)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"username": "u", "password": "p"}, basic("u", "p"), id="user and password"),
        pytest.param({"username": "t"}, basic("t", ""), id="a token for a user name"),
        pytest.param({"username": "u", "password_file": "FILE"}, basic("u", "from a file"), id="password file"),
        pytest.param({"bearer_token": "t"}, "Bearer t", id="token"),
        pytest.param({"bearer_token_file": "FILE"}, "Bearer from a file", id="token file"),
        pytest.param({"headers": {"AUTHORIZATION": "x"}}, None, id="a header of the user's"),
    ],
)
def test_one_way_is_used(settings, expected, file):
    given = {name: file if value == "FILE" else value for name, value in settings.items()}
    assert headers_of(**given) == ({} if expected is None else {"Authorization": expected})


@pytest.mark.parametrize("setting", ["password_file", "bearer_token_file"])
def test_a_file_that_cannot_be_used_is_called_by_its_variable(setting, tmp_path):
    with pytest.raises(Unsendable, match=f"^OTEL_EXPORTER_PRW_{setting.upper()}: .* is a directory"):
        headers_of(**{setting: str(tmp_path)})


@pytest.mark.parametrize(
    ("settings", "userinfo", "expected"),
    [
        pytest.param({"username": "jürgen", "password": "paß"}, "", basic("jürgen", "paß"), id="basic, in UTF-8"),
        pytest.param({"bearer_token": "abc=="}, "", "Bearer abc==", id="bearer"),
        pytest.param({"headers": {"authorization": "Custom x"}}, "", "Custom x", id="the user's own header"),
        pytest.param({}, "user:p%40ss@", basic("user", "p@ss"), id="the URL's userinfo"),
    ],
)
def test_the_receiver_is_shown_it(start_server, make_transport, settings, userinfo, expected):
    server = start_server()
    make_transport(server.url.replace("//", f"//{userinfo}"), **settings).post(b"x", {}, 60)
    request = server.requests[0]
    assert request.headers["authorization"] == expected
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


def test_a_rotated_token_goes_with_the_next_request(start_server, make_transport, tmp_path):
    server = start_server()
    path = tmp_path / "token"
    path.write_text("first\n")
    transport = make_transport(server.url, bearer_token_file=str(path))
    transport.post(b"x", {}, 60)
    path.write_text("the second\n")
    transport.post(b"x", {}, 60)
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer first", "Bearer the second"]
    assert server.connections == 1


def test_a_file_with_a_whole_header_gives_its_token_and_a_warning(tmp_path, caplog):
    path = tmp_path / "token"
    path.write_text("Bearer abc\n")
    way = authentication(Settings(bearer_token_file=str(path)), {}, RenewalFailures())
    assert [way.headers(REQUEST) for _ in range(2)] == [{"Authorization": "Bearer abc"}] * 2
    (message,) = caplog.messages
    assert message.startswith("OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE: the file begins with 'Bearer'")


def test_a_token_stays_in_use_while_its_file_holds_the_word_bearer_alone(tmp_path, caplog):
    path = tmp_path / "token"
    path.write_text("Bearer abc\n")
    way = authentication(Settings(bearer_token_file=str(path)), {}, RenewalFailures())
    assert way.headers(REQUEST) == {"Authorization": "Bearer abc"}
    path.write_text("Bearer \n")
    assert way.headers(REQUEST) == {"Authorization": "Bearer abc"}
    assert "holds Bearer without a token; keeping the last valid content" in caplog.text


@pytest.mark.parametrize("text", ["Bearer", "bearer \n", "Authorization: Bearer  \n"])
def test_a_file_with_the_word_bearer_alone_has_no_token(tmp_path, text):
    path = tmp_path / "token"
    path.write_text(text)
    way = authentication(Settings(bearer_token_file=str(path)), {}, RenewalFailures())
    with pytest.raises(
        Unsendable, match=f"^OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE: '{path}' holds Bearer without a token"
    ):
        way.headers(REQUEST)


def test_nothing_is_sent_while_the_secret_cannot_be_read(start_server, make_transport, tmp_path):
    server = start_server()
    with pytest.raises(Unsendable):
        make_transport(server.url, bearer_token_file=str(tmp_path / "none")).post(b"x", {}, 60)
    assert server.connections == 0
