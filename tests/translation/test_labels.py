from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.translation.labels import (
    attribute_labels,
    merged_labels,
    scope_labels,
    sorted_labels,
)

ESCAPED = TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES
UNTRANSLATED = TranslationStrategy.NO_TRANSLATION


@pytest.mark.parametrize(
    ("attributes", "labels"),
    [
        pytest.param({}, {}, id="no attributes, no labels"),
        pytest.param({"http.method": "GET", "ok": True}, {"http_method": "GET", "ok": "true"}, id="one each"),
        pytest.param({"a_b": "2", "a.b": "1"}, {"a_b": "1;2"}, id="values are joined in the order of the keys"),
        pytest.param({"a_b": 3, "a.b": 2, "a-b": 1}, {"a_b": "1;2;3"}, id="whatever order they came in"),
        pytest.param({"a.b": "x", "a_b": "x"}, {"a_b": "x;x"}, id="equal values too"),
        pytest.param({"a..b": "1", "a_b": "2", "c.d": "3", "c_d": "4"}, {"a_b": "1;2", "c_d": "3;4"}, id="two groups"),
        pytest.param({"e": "", "f": "x"}, {"f": "x"}, id="empty values are dropped"),
        pytest.param({"e": None, "f": b""}, {}, id="whatever their type"),
        pytest.param({"a.b": "", "a_b": "2"}, {"a_b": "2"}, id="an empty first value is not joined"),
        pytest.param({"a.b": "1", "a_b": ""}, {"a_b": "1;"}, id="an empty last one is"),
        pytest.param({"a-b": "1", "a.b": "", "a_b": "3"}, {"a_b": "1;;3"}, id="so is one in the middle"),
        pytest.param({"__name__": "evil", "ok": "1"}, {"ok": "1"}, id="the name of the metric is not an attribute's"),
        pytest.param({"job": "x", "le": "y"}, {"job": "x", "le": "y"}, id="others are, where nothing is stronger"),
    ],
)
def test_escaped_labels_of_attributes(attributes, labels):
    assert attribute_labels(attributes, ESCAPED) == labels


def test_unescaped_keys_do_not_collide():
    attributes = {"a.b": "1", "a_b": "2", "service.name": "svc"}
    assert attribute_labels(attributes, UNTRANSLATED) == attributes


@pytest.mark.parametrize(
    ("attributes", "reason", "message"),
    [
        pytest.param({"ok": "1", "...": "x"}, "label name", r"'\.\.\.'", id="a key of which nothing is left"),
        pytest.param({"ok": "1", "": "x"}, "label name", "''", id="an empty key"),
        pytest.param({"ok": "1", "bad": object()}, "attribute value", "attribute 'bad': .*type object", id="a value"),
        pytest.param({1: "x"}, "label name", "type int", id="a key that is no string"),
        pytest.param({1: "x", "a": "y"}, "label name", "several types", id="keys that cannot be sorted"),
    ],
)
def test_labels_are_refused_together(attributes, reason, message):
    with pytest.raises(Untranslatable, match=message) as refused:
        attribute_labels(attributes, ESCAPED)
    assert refused.value.reason == reason


def test_the_attributes_are_left_as_they_are():
    attributes = {"b": 1, "a": [True]}
    attribute_labels(attributes, ESCAPED)
    assert list(attributes.items()) == [("b", 1), ("a", [True])]


# --- scope


@pytest.mark.parametrize(
    ("scope", "labels"),
    [
        pytest.param(
            ("my.lib", "2.1", "https://s/1", {"team.name": "core", "n": 3}),
            {
                "otel_scope_name": "my.lib",
                "otel_scope_version": "2.1",
                "otel_scope_schema_url": "https://s/1",
                "otel_scope_team_name": "core",
                "otel_scope_n": "3",
            },
            id="everything that a scope has",
        ),
        pytest.param(("my.lib", None, None, None), {"otel_scope_name": "my.lib"}, id="a name alone"),
        pytest.param(("", "2.1", "", {}), {"otel_scope_version": "2.1"}, id="a version without a name"),
        pytest.param(("", "", "", {}), {}, id="nothing"),
        pytest.param(
            ("my.lib", "", None, {"name": "x", "version": "y", "schema.url": "z"}),
            {"otel_scope_name": "my.lib"},
            id="attributes never stand for name, version or schema URL",
        ),
        pytest.param(("", "", "", {"...": "x"}), {"otel_scope_": "x"}, id="the prefix makes every key legal"),
        pytest.param(("", "", "", {"a.b": "1", "a_b": "2"}), {"otel_scope_a_b": "1;2"}, id="attributes are joined"),
        pytest.param(("a\udcff", "", "", {}), {"otel_scope_name": "a\ufffd"}, id="what is not UTF-8 is replaced"),
    ],
)
def test_labels_of_a_scope(scope, labels):
    assert scope_labels(*scope, ESCAPED) == labels


def test_keys_of_a_scope_stay_where_nothing_is_escaped():
    assert scope_labels("", "", "", {"team.name": "core"}, UNTRANSLATED) == {"otel_scope_team.name": "core"}


# --- together


def test_each_layer_is_stronger_than_the_one_before():
    layers = ["external", "promoted", "attributes", "target", "scope"]
    # The label n is set by the layers up to the one of that number; the last of them is to win.
    labels = {layer: {str(n): layer for n in range(i, len(layers))} for i, layer in enumerate(layers)}
    assert merged_labels(**labels) == {str(n): layer for n, layer in enumerate(layers)}


def test_labels_are_sorted_by_bytes():
    labels = {"a": "1", "__name__": "g", "Z": "2", "B": "3", "é": "4"}
    assert sorted_labels(labels) == (("B", "3"), ("Z", "2"), ("__name__", "g"), ("a", "1"), ("é", "4"))


def test_empty_names_and_values_are_not_sent():
    assert sorted_labels({"": "x", "a": "", "b": "1"}) == (("b", "1"),)


ANY_TEXT = st.text(st.one_of(st.sampled_from("a9_.\ud800"), st.characters(exclude_categories=())), max_size=5)


@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=8), st.sampled_from([ESCAPED, UNTRANSLATED]))
def test_labels_are_legal_sorted_unique_and_never_empty(attributes, strategy):
    try:
        labels = sorted_labels(attribute_labels(attributes, strategy))
    except Untranslatable:
        assert any(not key.strip("_") or not re.search("[A-Za-z0-9]", key) for key in attributes)
        return
    names = [name.encode() for name, _ in labels]
    assert names == sorted(set(names))
    assert all(name and text.encode() for name, text in labels)
    if strategy.escapes:
        assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) for name, _ in labels)


@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=8), st.randoms())
def test_the_order_of_attributes_does_not_matter(attributes, random):
    items = list(attributes.items())
    random.shuffle(items)

    def labels(attributes):
        try:
            return attribute_labels(attributes, ESCAPED)
        except Untranslatable as error:
            return error.reason

    assert labels(dict(items)) == labels(attributes)


# --- le
