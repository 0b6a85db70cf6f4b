"""Attribute values as text.

The rules are the OpenTelemetry specification's ("Common specification concepts", AnyValue representation for non-OTLP
protocols). Where they leave a choice, it is that of the Collector and Prometheus: numbers as JavaScript and Go write
them, JSON without spaces and with sorted keys.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..errors import Untranslatable
from ..messages.text import valid_text

# Between these, JavaScript and Go write a number without an exponent.
_SMALLEST_WITHOUT_EXPONENT = 1e-6
_SMALLEST_WITH_EXPONENT = 1e21


def attribute_text(value: Any) -> str:
    """Return an attribute's value as a label's text.

    Strings and numbers are written as they are, bytes in base64, None as an empty text, sequences and mappings as JSON.

    Args:
        value: A string, boolean, number, bytes, None, or a sequence or mapping of these.

    Raises:
        Untranslatable: The value is or contains something of another type, or cannot be written. The message names only
            types, because values may be private.
    """
    if isinstance(value, str):
        return valid_text(value)
    if value is None:
        return ""
    try:
        # Bytes, NaN and infinities are strings in JSON, but here they are bare.
        return _json(value).strip('"')
    except Untranslatable:
        raise
    except Exception as error:
        # A container may run the application's code or contain itself, and a number may have too many digits.
        raise Untranslatable(
            "attribute value", f"a value of type {type(value).__name__} cannot be written: {type(error).__name__}"
        ) from error


def _json(value: Any) -> str:  # noqa: PLR0911 - one return for each type
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            return _json_number(value)
        case str():
            return _json_string(value)
        case bytes() | bytearray() | memoryview():
            return _json_string(b64encode(value).decode("ascii"))
        case Mapping():
            return "{" + ",".join(f"{_json_string(key)}:{_json(value[key])}" for key in sorted(value)) + "}"
        case Sequence():
            return "[" + ",".join(map(_json, value)) + "]"
    raise Untranslatable(
        "attribute value",
        f"a value of type {type(value).__name__} cannot be an attribute's value; "
        "use a string, boolean, number, bytes, or a sequence or mapping of such",
    )


def _json_string(text: str) -> str:
    return json.dumps(valid_text(text), ensure_ascii=False)


def _json_number(value: float) -> str:
    if not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
    shortest = float.__repr__(value)
    if "e" in shortest and _SMALLEST_WITHOUT_EXPONENT <= abs(value) < _SMALLEST_WITH_EXPONENT:
        return format(Decimal(shortest), "f")
    return shortest.removesuffix(".0").replace("e-0", "e-")
