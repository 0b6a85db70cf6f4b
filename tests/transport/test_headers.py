from opentelemetry.exporter.prometheus_remote_write.transport.headers import merged, on_the_wire


def test_later_headers_take_the_place_of_earlier_ones_whatever_their_case():
    assert merged({"A": "1", "b": "2"}, {}, {"a": "3", "C": "4"}) == {"a": "3", "b": "2", "C": "4"}


def test_values_are_utf_8_on_the_wire():
    assert on_the_wire({"X": "Jürgen", "Y": "\ud800"}) == {"X": "JÃ¼rgen", "Y": "?"}
