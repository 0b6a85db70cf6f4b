"""The suite's group "labels", in 2.0."""

import re

import pytest

from tests.compliance.application import labelled


@pytest.fixture
def labels_of(application):
    """labels_of(metric, attributes): the labels of the series that a measurement becomes, in their order."""

    def push(metric="test_metric", attributes=None):
        application.meter.create_gauge(metric).set(42, attributes)
        assert application.push()
        [message] = application.messages
        [(_, labels)] = labelled(message)
        return labels

    return push


def test_label_lexicographic_ordering(labels_of):
    names = list(labels_of(attributes={"zone": "z", "Alpha": "A", "alpha": "a", "_x": "x", "a_b": "1", "aB": "2"}))
    assert names == sorted(names, key=str.encode)
    assert len(names) == 9


def test_metric_name_label_present(labels_of):
    assert labels_of()["__name__"] == "test_metric"


def test_metric_name_format_valid(labels_of):
    name = labels_of("http.server/request-size")["__name__"]
    assert re.fullmatch("[a-zA-Z_:][a-zA-Z0-9_:]*", name)


def test_label_name_format_valid(labels_of):
    names = labels_of(attributes={"http.method": "1", "2nd": "2", "straße": "3", "a b": "4"})
    assert len(names) == 7
    assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in names)


def test_no_duplicate_label_names(application):
    # The receiver refuses a request in which a label is there twice; these keys become one label.
    application.meter.create_gauge("test_metric").set(42, {"http.method": "a", "http_method": "b", "job": "other"})
    assert application.push()
    [message] = application.messages
    [(series, labels)] = labelled(message)
    assert len(series.labels_refs) == 2 * len(labels)
    assert labels["http_method"] == "a;b"


def test_label_names_not_empty(application):
    # The SDK drops the empty key; before 1.45 it hands it out, and the data point is left out.
    gauge = application.meter.create_gauge("test_metric")
    gauge.set(42, {"": "nameless", "a": "named"})
    gauge.set(42, {"a": "alone"})
    assert application.push()
    sent = [labels for message in application.messages for _, labels in labelled(message)]
    assert any(labels.get("a") == "alone" for labels in sent)
    assert all(name for labels in sent for name in labels)


def test_empty_label_value(labels_of):
    labels = labels_of(attributes={"foo": "", "bar": "qux"})
    assert labels == {"__name__": "test_metric", "bar": "qux", "instance": "pod-1", "job": "shop"}


def test_reserved_label_prefix(labels_of):
    names = labels_of(attributes={"__reserved": "1", "__name__": "other", "a": "b"})
    assert [name for name in names if name.startswith("__")] == ["__name__"]
    assert names["__name__"] == "test_metric"


def test_unicode_in_label_values(labels_of):
    attributes = {"emoji": "\N{ROCKET}", "chinese": "测试", "arabic": "مرحبا", "vietnamese": "tôi yêu việt nam"}
    labels = labels_of(attributes=attributes)
    assert {name: labels[name] for name in attributes} == attributes


def test_special_characters_in_values(labels_of):
    attributes = {"quotes": "\"double\" and 'single'", "slash": "C:\\a/b", "newline": "a\nb\tc", "nul": "a\0b"}
    labels = labels_of(attributes=attributes)
    assert {name: labels[name] for name in attributes} == attributes


def test_long_label_names_and_values(labels_of):
    name, value = "n" * 500, "v" * 5000
    assert labels_of(attributes={name: value})[name] == value


def test_many_labels(labels_of):
    attributes = {f"label_{number}": str(number) for number in range(60)}
    labels = labels_of(attributes=attributes)
    assert {name: labels[name] for name in attributes} == attributes


def test_metric_name_with_colons(start_application):
    # OpenTelemetry's names have no colons; a namespace may.
    application = start_application(namespace="job:shop")
    application.meter.create_gauge("test_metric").set(42)
    assert application.push()
    assert application.receiver.values("job:shop_test_metric") == [42]
