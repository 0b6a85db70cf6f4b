from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.translation.labels import (
    attribute_labels,
    exported_labels,
    merged_labels,
    scope_labels,
    shortened_values,
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


# --- labels that are ours


@pytest.mark.parametrize(
    ("labels", "renamed"),
    [
        pytest.param({"at": "a"}, {"at": "a"}, id="others stay"),
        pytest.param({"job": "backup", "at": "a"}, {"exported_job": "backup", "at": "a"}, id="job"),
        pytest.param({"instance": "db-1"}, {"exported_instance": "db-1"}, id="instance"),
        pytest.param({"__name__": "evil"}, {"exported___name__": "evil"}, id="the metric's name"),
        pytest.param({"otel_scope_name": "x"}, {"exported_otel_scope_name": "x"}, id="the scope's name"),
        pytest.param({"le": "5", "quantile": "1"}, {"le": "5", "quantile": "1"}, id="le is not ours on every metric"),
        pytest.param(
            {"job": "a", "exported_job": "b"},
            {"exported_exported_job": "a", "exported_job": "b"},
            id="a name that is taken gets the prefix again",
        ),
    ],
)
def test_labels_of_attributes_that_conflict_with_ours_are_exported(labels, renamed):
    assert exported_labels(labels, {"job", "instance", "otel_scope_name"}) == renamed


def test_what_the_resource_does_not_say_is_an_attributes_to_say():
    assert exported_labels({"job": "backup"}, {"instance"}) == {"job": "backup"}


@given(st.dictionaries(st.sampled_from(["job", "exported_job", "exported_exported_job", "instance", "a"]), st.text()))
def test_no_label_is_lost_and_none_is_ours(labels):
    renamed = exported_labels(labels, {"job", "instance"})
    assert sorted(renamed.values()) == sorted(labels.values())
    assert renamed.keys().isdisjoint({"job", "instance"})


# --- long values


@pytest.mark.parametrize(
    ("text", "longest", "shortened"),
    [
        pytest.param("a" * 40, 0, "a" * 40, id="no limit"),
        pytest.param("a" * 40, 40, "a" * 40, id="as long as it may be"),
        pytest.param("a" * 41, 40, "a" * 27 + "-c0f8bd4dbc2b", id="one character too long"),
        pytest.param("ü" * 40, 40, "ü" * 40, id="characters count, not bytes"),
    ],
)
def test_a_long_value_ends_in_a_hash_of_the_whole(text, longest, shortened):
    assert shortened_values((("at", text),), longest) == (("at", shortened),)


@given(st.sets(st.text(min_size=10, max_size=60), min_size=2, max_size=2), st.integers(13, 50))
def test_values_that_differ_differ_when_they_are_cut(texts, longest):
    one, other = (dict(shortened_values((("at", text),), longest))["at"] for text in texts)
    assert one != other
    assert max(len(one), len(other)) <= longest


def test_the_name_of_the_metric_is_never_cut():
    labels = (("__name__", "a" * 50),)
    assert shortened_values(labels, 20) == labels


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
