from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.translation.naming import (
    MetricKind,
    label_name,
    metric_name,
    unit_word,
)

ESCAPED_WITH_SUFFIXES = TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES
ESCAPED = TranslationStrategy.UNDERSCORE_ESCAPING_WITHOUT_SUFFIXES
WITH_SUFFIXES = TranslationStrategy.NO_UTF8_ESCAPING_WITH_SUFFIXES
UNTRANSLATED = TranslationStrategy.NO_TRANSLATION

KINDS = {
    "gauge": MetricKind.GAUGE,
    "counter": MetricKind.COUNTER,
    "updowncounter": MetricKind.UP_DOWN_COUNTER,
    "histogram": MetricKind.HISTOGRAM,
    "exponential_histogram": MetricKind.HISTOGRAM,
    "summary": MetricKind.UNKNOWN,  # no Python instrument makes one; it is named by the same rules
    "unknown": MetricKind.UNKNOWN,
}


def vectors(file):
    return json.loads((Path(__file__).parents[1] / "vectors" / file).read_text(encoding="utf-8"))["cases"]


def translated(function, *arguments):
    """The result, or None where the input cannot be translated, as the vectors write it."""
    try:
        return function(*arguments)
    except Untranslatable:
        return None


@pytest.mark.parametrize(
    ("value", "escapes"),
    [
        ("UnderscoreEscapingWithSuffixes", True),
        ("UnderscoreEscapingWithoutSuffixes", True),
        ("NoUTF8EscapingWithSuffixes", False),
        ("NoTranslation", False),
    ],
)
def test_strategies_have_prometheus_names(value, escapes):
    assert TranslationStrategy(value).escapes is escapes


# --- metrics


@pytest.mark.parametrize("strategy", TranslationStrategy)
def test_metric_names_are_those_of_other_translators(strategy):
    cases = [case for case in vectors("names.json") if case["strategy"] == strategy.value]
    expected = {str(case): case["expected"] if case["agrees_with_current"] else case["current"] for case in cases}
    assert len(expected) > 100
    assert {
        str(case): translated(metric_name, case["name"], case["unit"], KINDS[case["type"]], strategy, case["namespace"])
        for case in cases
    } == expected


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        pytest.param("a..b", "", MetricKind.GAUGE, "a_b", id="runs of illegal characters become one underscore"),
        pytest.param("_a_", "", MetricKind.GAUGE, "a", id="underscores at the ends go"),
        pytest.param("9lives", "", MetricKind.GAUGE, "_9lives", id="a digit in front is escaped"),
        pytest.param("٣lives", "", MetricKind.GAUGE, "lives", id="other scripts' digits are illegal characters"),
        pytest.param("a:b", "", MetricKind.GAUGE, "a:b", id="colons stay"),
        pytest.param("my.seconds.x", "s", MetricKind.GAUGE, "my_seconds_x", id="a unit in the name is not repeated"),
        pytest.param("foobytes", "By", MetricKind.GAUGE, "foobytes_bytes", id="a part of a word is not the unit"),
        pytest.param("x", "kBy", MetricKind.GAUGE, "x_kilobytes", id="kilobytes as UCUM writes them"),
        pytest.param("x", "TiBy", MetricKind.GAUGE, "x_tebibytes", id="the specification's word"),
        pytest.param("x_per_second", "1/s", MetricKind.GAUGE, "x_per_second_per_second", id="per is repeated"),
        pytest.param("x", "km/°", MetricKind.GAUGE, "x_km", id="a per without a word goes"),
        pytest.param("x", "km_/s", MetricKind.GAUGE, "x_km_per_second", id="no double underscore before per"),
        pytest.param("foo_total_bar", "", MetricKind.COUNTER, "foo_bar_total", id="a counter's total goes to the end"),
        pytest.param("total", "", MetricKind.COUNTER, "total", id="total once"),
        pytest.param("total", "", MetricKind.UP_DOWN_COUNTER, "total", id="others' total stays where it is"),
        pytest.param("x.ratio.y", "1", MetricKind.GAUGE, "x_y_ratio", id="a gauge's ratio goes to the end"),
        pytest.param("x", "1", MetricKind.UP_DOWN_COUNTER, "x", id="a count of things is no ratio"),
        pytest.param("x", "1", MetricKind.HISTOGRAM, "x", id="nor is a histogram"),
        pytest.param("字符", "", MetricKind.COUNTER, "total", id="the suffix alone may be left"),
    ],
)
def test_escaped_names_with_suffixes(name, unit, kind, expected):
    assert metric_name(name, unit, kind, ESCAPED_WITH_SUFFIXES) == expected


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        pytest.param("a..b", "", MetricKind.GAUGE, "a..b", id="every character stays"),
        pytest.param("9", "", MetricKind.GAUGE, "9", id="digits too"),
        pytest.param("foobytes", "By", MetricKind.GAUGE, "foobytes", id="what ends like the unit ends in it"),
        pytest.param("temp", "°C", MetricKind.GAUGE, "temp_°C", id="units are not cleaned"),
        pytest.param("requests.total", "", MetricKind.COUNTER, "requests_total", id="a total behind any delimiter"),
        pytest.param("io_total", "By/s", MetricKind.COUNTER, "io_bytes_per_second_total", id="suffixes have one order"),
        pytest.param("io_per_second", "By/s", MetricKind.GAUGE, "io_bytes_per_second", id="per is not repeated"),
        pytest.param("total", "", MetricKind.COUNTER, "total_total", id="a name is never all suffix"),
        pytest.param("subtotal", "", MetricKind.COUNTER, "subtotal_total", id="part of a word is no suffix"),
        pytest.param("étotal", "", MetricKind.COUNTER, "étotal_total", id="nor is part of a word in another script"),
        pytest.param("x", "1", MetricKind.GAUGE, "x_ratio", id="a ratio"),
    ],
)
def test_unescaped_names_with_suffixes(name, unit, kind, expected):
    assert metric_name(name, unit, kind, WITH_SUFFIXES) == expected


@pytest.mark.parametrize(
    ("strategy", "namespace", "expected"),
    [
        pytest.param(ESCAPED_WITH_SUFFIXES, "my.ns", "my.ns_x_total", id="with suffixes it is left as it is"),
        pytest.param(ESCAPED_WITH_SUFFIXES, "9ns", "_9ns_x_total", id="but for a digit in front"),
        pytest.param(ESCAPED, "my.ns", "my_ns_x", id="without suffixes it is escaped like the name"),
        pytest.param(ESCAPED, "é", "_x", id="even if nothing is left"),
        pytest.param(WITH_SUFFIXES, "my.ns", "my.ns_x_total", id="where nothing is escaped it is not either"),
        pytest.param(UNTRANSLATED, "my.ns", "my.ns_x", id="nor where nothing is translated"),
        pytest.param(UNTRANSLATED, "", "x", id="none, no prefix"),
    ],
)
def test_the_namespace_goes_in_front(strategy, namespace, expected):
    assert metric_name("x", "", MetricKind.COUNTER, strategy, namespace) == expected


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("@#$%", ESCAPED_WITH_SUFFIXES),
        ("字符", ESCAPED),
        ("@_#_$_%", ESCAPED),
        ("", UNTRANSLATED),
    ],
)
def test_a_name_that_vanishes_is_refused_by_name(name, strategy):
    with pytest.raises(Untranslatable) as refused:
        metric_name(name, "", MetricKind.GAUGE, strategy)
    assert refused.value.reason == "name"
    assert f"metric {name!r} " in str(refused.value)


ANY_TEXT = st.text(st.one_of(st.sampled_from("a9_.:/é{}1s\ud800"), st.characters(exclude_categories=())))
NAMESPACES = st.from_regex("([a-z_][a-z0-9_]{0,5})?", fullmatch=True)


@given(ANY_TEXT, ANY_TEXT, st.sampled_from(MetricKind), st.sampled_from([ESCAPED_WITH_SUFFIXES, ESCAPED]), NAMESPACES)
def test_escaped_names_are_classic_names(name, unit, kind, strategy, namespace):
    result = translated(metric_name, name, unit, kind, strategy, namespace)
    assert result is None or re.fullmatch("[A-Za-z_:][A-Za-z0-9_:]*", result)


@given(ANY_TEXT, ANY_TEXT, st.sampled_from(MetricKind), st.sampled_from(TranslationStrategy), ANY_TEXT)
def test_every_name_can_be_written_as_utf8(name, unit, kind, strategy, namespace):
    result = translated(metric_name, name, unit, kind, strategy, namespace)
    assert result is None or result.encode()


@given(st.text(min_size=1), ANY_TEXT, st.sampled_from(MetricKind))
def test_without_translation_a_name_stays_as_it_is(name, unit, kind):
    assert metric_name(name, unit, kind, UNTRANSLATED) == name


@given(ANY_TEXT, ANY_TEXT, st.sampled_from(MetricKind))
def test_escaping_twice_is_escaping_once(name, unit, kind):
    once = translated(metric_name, name, unit, kind, ESCAPED)
    assert once is None or metric_name(once, unit, kind, ESCAPED) == once


@given(ANY_TEXT, st.sampled_from(["", "1", "s", "By", "%", "{x}"]), st.sampled_from(MetricKind))
def test_suffixes_are_not_added_twice(name, unit, kind):
    once = translated(metric_name, name, unit, kind, ESCAPED_WITH_SUFFIXES)
    assert once is None or metric_name(once, unit, kind, ESCAPED_WITH_SUFFIXES) == once


# --- units in metadata


def test_unit_words_are_those_of_other_translators():
    cases = vectors("units.json")
    strategies = {False: ESCAPED_WITH_SUFFIXES, True: WITH_SUFFIXES}
    assert {str(case): unit_word(case["unit"], strategies[case["utf8_allowed"]]) for case in cases} == {
        str(case): case["expected"] if case["agrees_with_current"] else case["current"] for case in cases
    }


def test_a_unit_is_escaped_unless_said_otherwise():
    assert unit_word("°F") == "F"
    assert unit_word("°F", UNTRANSLATED) == "°F"


@given(ANY_TEXT)
def test_a_unit_in_metadata_could_be_part_of_a_name(unit):
    assert re.fullmatch("[A-Za-z0-9_:]*", unit_word(unit))
    assert unit_word(unit, WITH_SUFFIXES).encode() is not None


# --- labels


@pytest.mark.parametrize(
    ("mode", "strategies"),
    [("collapse", [ESCAPED_WITH_SUFFIXES, ESCAPED]), ("utf8", [WITH_SUFFIXES, UNTRANSLATED])],
)
def test_label_names_are_those_of_other_translators(mode, strategies):
    cases = [case for case in vectors("labels.json") if case["mode"] == mode]
    assert len(cases) > 20
    for strategy in strategies:
        assert {case["attribute_key"]: translated(label_name, case["attribute_key"], strategy) for case in cases} == {
            case["attribute_key"]: case["expected"] for case in cases
        }


@pytest.mark.parametrize(
    ("key", "escaped", "unescaped"),
    [
        pytest.param("http.method", "http_method", "http.method", id="dots become underscores"),
        pytest.param("a..b", "a_b", "a..b", id="a run of them becomes one"),
        pytest.param("a__b", "a_b", "a__b", id="a run that was there too"),
        pytest.param("_x", "_x", "_x", id="one in front stays"),
        pytest.param(".x", "_x", ".x", id="or comes to be"),
        pytest.param("__x", "_x", "__x", id="two in front are a run"),
        pytest.param("__x.y__", "__x_y__", "__x.y__", id="two on either side are kept"),
        pytest.param("9x", "key_9x", "9x", id="a digit in front is escaped"),
        pytest.param("٣x", "_x", "٣x", id="other scripts' digits are illegal characters"),
        pytest.param("a:b", "a_b", "a:b", id="labels cannot have colons"),
        pytest.param("a\udcffb", "a_b", "a\ufffdb", id="what is not UTF-8 is replaced"),
        pytest.param("...", None, "...", id="symbols alone cannot be escaped"),
        pytest.param("____", None, None, id="underscores alone name nothing"),
        pytest.param("", None, None, id="nothing neither"),
        pytest.param(7, None, None, id="a number is no key"),
    ],
)
def test_label_names(key, escaped, unescaped):
    assert translated(label_name, key, ESCAPED) == escaped
    assert translated(label_name, key, UNTRANSLATED) == unescaped


def test_a_key_that_vanishes_is_refused_by_name():
    with pytest.raises(Untranslatable, match=r"attribute key '\.\.\.'") as refused:
        label_name("...", ESCAPED)
    assert refused.value.reason == "label name"


@given(ANY_TEXT)
def test_escaped_label_names_are_classic_and_stay_so(key):
    name = translated(label_name, key, ESCAPED)
    if name is not None:
        assert re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)
        assert label_name(name, ESCAPED) == name


@given(st.text())
def test_unescaped_label_names_are_the_keys(key):
    assert translated(label_name, key, UNTRANSLATED) in (key, None)
