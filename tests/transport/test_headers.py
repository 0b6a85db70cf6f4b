from opentelemetry.exporter.prometheus_remote_write.transport.headers import merged, on_the_wire, secrets


def test_later_headers_take_the_place_of_earlier_ones_whatever_their_case():
    assert merged({"A": "1", "b": "2"}, {}, {"a": "3", "C": "4"}) == {"a": "3", "b": "2", "C": "4"}


def test_values_are_utf_8_on_the_wire():
    assert on_the_wire({"X": "Jürgen", "Y": "\ud800"}) == {"X": "JÃ¼rgen", "Y": "?"}


def test_credentials_are_secret_also_as_they_were_before_encoding():
    assert set(secrets({"authorization": "Basic dXNlcjpodW50ZXIy"})) == {b"dXNlcjpodW50ZXIy", b"hunter2"}
    assert set(secrets({"Proxy-Authorization": "Basic dXNlcjpodW50ZXIy"})) == {b"dXNlcjpodW50ZXIy", b"hunter2"}
    assert set(secrets({"Authorization": "Bearer abc"})) == {b"abc"}
    assert set(secrets({"Authorization": "abc"})) == {b"abc"}
    assert set(secrets({"Authorization": "Basic not base64"})) == {b"not base64"}


def test_other_values_are_taken_for_secrets_when_they_are_long():
    assert list(secrets({"X-Scope-OrgID": "5", "X-Api-Key": "0123456789"})) == [b"0123456789"]
