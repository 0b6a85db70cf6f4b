from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.translation.units import legal_unit_word, unit_words

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "units.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("unit", "word"), {**VECTORS["unit_table"], **VECTORS["spec_table"]}.items())
def test_every_unit_has_the_specification_s_word_or_else_the_translator_s(unit, word):
    assert unit_words(unit) == (word, "")


def test_the_specification_overrules_the_translator_in_one_unit_alone():
    overruled = {unit for unit, word in VECTORS["unit_table"].items() if unit_words(unit) != (word, "")}
    assert overruled == {"TiBy"}


@pytest.mark.parametrize(("unit", "word"), VECTORS["per_unit_table"].items())
def test_every_unit_after_the_slash_has_its_word(unit, word):
    assert unit_words(f"1/{unit}") == ("", f"per_{word}")


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        pytest.param("", ("", ""), id="no unit, no word"),
        pytest.param("1", ("", ""), id="what is counted has no word"),
        pytest.param("By/s", ("bytes", "per_second"), id="a rate has two"),
        pytest.param("kBy", ("kilobytes", ""), id="UCUM writes kilo with a small k"),
        pytest.param("KBy", ("kilobytes", ""), id="what others call kilo is accepted"),
        pytest.param("TiBy", ("tebibytes", ""), id="the specification's tebi, not the translator's tibi"),
        pytest.param("by", ("by", ""), id="case matters"),
        pytest.param("furlong", ("furlong", ""), id="an unknown unit stands for itself"),
        pytest.param("furlong/fortnight", ("furlong", "per_fortnight"), id="on either side"),
        pytest.param("1/min", ("", "per_min"), id="min has a word in front of the slash only"),
        pytest.param("m/m", ("meters", "per_minute"), id="m is two things"),
        pytest.param("{request}/s", ("", "per_second"), id="an annotation says nothing"),
        pytest.param("By/{request}", ("bytes", ""), id="on either side"),
        pytest.param("1{thing}", ("", ""), id="a half with an annotation is dropped whole"),
        pytest.param("a/b/c", ("a", "per_b/c"), id="only the first slash divides"),
        pytest.param(" By / s ", ("bytes", "per_second"), id="blanks around a half do not matter"),
        pytest.param("/", ("", ""), id="a slash alone says nothing"),
        pytest.param("/s", ("", "per_second"), id="nothing per something"),
    ],
)
def test_words_of_a_unit(unit, words):
    assert unit_words(unit) == words


@pytest.mark.parametrize(
    ("word", "legal"),
    [
        pytest.param("°F", "F", id="no underscore in front"),
        pytest.param("unit@with##special", "unit_with_special", id="runs become one underscore"),
        pytest.param("a__b", "a_b", id="underscores that were there too"),
        pytest.param("trail_", "trail_", id="one at the end stays"),
        pytest.param("x:y", "x:y", id="colons are legal"),
        pytest.param("$", "", id="nothing may be left"),
    ],
)
def test_a_word_is_made_legal(word, legal):
    assert legal_unit_word(word) == legal


@given(st.text())
def test_any_unit_can_be_made_legal(unit):
    for word in unit_words(unit):
        assert re.fullmatch("[A-Za-z0-9:_]*", legal_unit_word(word))
        assert legal_unit_word(legal_unit_word(word)) == legal_unit_word(word)
