from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, IntEnum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.translation.attribute_values import attribute_text


class Colour(str, Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Celsius(float):
    def __repr__(self):
        return f"{self.real} degrees"


class BrokenMapping(Mapping):
    def __getitem__(self, key):
        raise LookupError(key)

    def __iter__(self):
        raise RuntimeError("secret")

    def __len__(self):
        return 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("", "", id="an empty string"),
        pytest.param(" a ", " a ", id="strings are not trimmed"),
        pytest.param('"a"', '"a"', id="nor are their quotes"),
        pytest.param("true", "true", id="nor is there a type left"),
        pytest.param("a\udcff", "a\ufffd", id="what is not UTF-8 is replaced"),
        pytest.param(Colour.RED, "red", id="a member of a text enum is its text"),
        pytest.param(True, "true", id="true as in JSON"),
        pytest.param(False, "false", id="false as in JSON"),
        pytest.param(None, "", id="no value is an empty text"),
        pytest.param(42, "42", id="an integer"),
        pytest.param(-7, "-7", id="a negative one"),
        pytest.param(9223372036854775807, "9223372036854775807", id="a long one is not rounded"),
        pytest.param(Level.HIGH, "3", id="a member of a number enum is its number"),
        pytest.param(1.0, "1", id="no .0"),
        pytest.param(-0.0, "-0", id="a negative zero keeps its sign"),
        pytest.param(1.5, "1.5", id="a fraction"),
        pytest.param(math.pi, "3.141592653589793", id="all digits that matter"),
        pytest.param(0.1 + 0.2, "0.30000000000000004", id="and these"),
        pytest.param(1e16, "10000000000000000", id="no exponent where Python would have one"),
        pytest.param(1e20, "100000000000000000000", id="nor here"),
        pytest.param(-1.5e20, "-150000000000000000000", id="nor below zero"),
        pytest.param(1e21, "1e+21", id="the first number with an exponent"),
        pytest.param(1.5e300, "1.5e+300", id="a huge one"),
        pytest.param(0.0001, "0.0001", id="a small one"),
        pytest.param(1e-6, "0.000001", id="the last small one without exponent"),
        pytest.param(1.25e-5, "0.0000125", id="no exponent where Python would have one, again"),
        pytest.param(1e-7, "1e-7", id="one digit in the exponent"),
        pytest.param(1.5e-10, "1.5e-10", id="two digits in the exponent"),
        pytest.param(5e-324, "5e-324", id="the smallest of all"),
        pytest.param(Celsius(3), "3", id="the number of a subclass, not its repr"),
        pytest.param(math.nan, "NaN", id="not a number"),
        pytest.param(math.inf, "Infinity", id="infinity"),
        pytest.param(-math.inf, "-Infinity", id="negative infinity"),
        pytest.param(b"hello world", "aGVsbG8gd29ybGQ=", id="bytes in base64 with padding"),
        pytest.param(b"", "", id="no bytes"),
        pytest.param(bytearray(b"\xfb\xff"), "+/8=", id="the alphabet of base64 that is not for URLs"),
        pytest.param(memoryview(b"a"), "YQ==", id="a view of bytes"),
        pytest.param([], "[]", id="an empty list"),
        pytest.param(("a", 1, 2.5, True), '["a",1,2.5,true]', id="a tuple without spaces"),
        pytest.param([1, 2.5, 1e21, 1.0], "[1,2.5,1e+21,1]", id="numbers as they are alone"),
        pytest.param(
            [math.nan, math.inf, -math.inf],
            '["NaN","Infinity","-Infinity"]',
            id="what JSON has no number for in quotes",
        ),
        pytest.param([b"hello world", None], '["aGVsbG8gd29ybGQ=",null]', id="bytes in quotes, null in full"),
        pytest.param(["<&>", "é", "\u2603"], '["<&>","é","\u2603"]', id="only what JSON has to escape is escaped"),
        pytest.param(['"', "\\", "\n", "\0"], '["\\"","\\\\","\\n","\\u0000"]', id="and that is"),
        pytest.param(["\udcff"], '["\ufffd"]', id="what is not UTF-8 is replaced in JSON too"),
        pytest.param([Colour.RED, Level.HIGH], '["red",3]', id="enums are what they hold in JSON too"),
        pytest.param({}, "{}", id="an empty mapping"),
        pytest.param({"b": 1, "a": "x"}, '{"a":"x","b":1}', id="keys are sorted"),
        pytest.param({"k": {"z": [1, True]}}, '{"k":{"z":[1,true]}}', id="whatever is nested"),
        pytest.param(MappingProxyType({"a": 1}), '{"a":1}', id="any mapping"),
        pytest.param(range(3), "[0,1,2]", id="any sequence"),
    ],
)
def test_text_of_a_value(value, text):
    assert attribute_text(value) == text


def holding_itself():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(object(), id="an object"),
        pytest.param(Decimal("1.5"), id="a decimal"),
        pytest.param({"secret"}, id="a set"),
        pytest.param(1j, id="a complex number"),
        pytest.param([1, object()], id="a sequence with an object in it"),
        pytest.param({"a": {"b": Decimal(1)}}, id="a mapping with one in it"),
        pytest.param({1: "secret"}, id="a mapping with a number for a key"),
        pytest.param({1: "secret", "a": 2}, id="a mapping with keys that cannot be sorted"),
        pytest.param(10**5000, id="a number with more digits than Python writes"),
        pytest.param(holding_itself(), id="a list that holds itself"),
        pytest.param(BrokenMapping(), id="a mapping that raises"),
    ],
)
def test_a_value_of_another_type_is_refused_without_being_shown(value):
    with pytest.raises(Untranslatable) as refused:
        attribute_text(value)
    assert refused.value.reason == "attribute value"
    assert "secret" not in str(refused.value)


def test_the_refusal_names_the_type():
    with pytest.raises(Untranslatable, match="type Decimal"):
        attribute_text([Decimal(1)])


# Integers that a double holds exactly, so that a parser that reads numbers as doubles gives them back.
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON_VALUES) | st.dictionaries(st.text(), JSON_VALUES))
def test_a_json_parser_reads_containers_back(value):
    assert json.loads(attribute_text(value), parse_int=float) == value


@given(st.floats())
def test_a_number_reads_back_as_itself(value):
    assert repr(float(attribute_text(value))) == repr(value)


ANY_TEXT = st.text(st.characters(exclude_categories=()))
ATTRIBUTE_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | ANY_TEXT,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(ANY_TEXT, values, max_size=4),
    max_leaves=20,
)


@given(ATTRIBUTE_VALUES)
def test_every_attribute_value_has_a_text_that_can_be_written_as_utf8(value):
    assert attribute_text(value).encode() is not None
