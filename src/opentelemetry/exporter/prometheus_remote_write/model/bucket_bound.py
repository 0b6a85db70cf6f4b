"""The upper bound of a classic histogram's bucket, as the value of the label ``le``."""

from __future__ import annotations

from decimal import Decimal
from math import inf, isnan


def le_text(bound: float) -> str:
    """Return a bucket's upper bound as the value of the label ``le``: the shortest decimal, never with an exponent.

    The text must be the same in every export, whatever the bound's type, so that a bucket stays one series.

    Args:
        bound: The upper bound; infinity gives ``+Inf``.
    """
    bound = float(bound)
    if isnan(bound):
        return "NaN"
    if bound in (inf, -inf):
        return "+Inf" if bound > 0 else "-Inf"
    return format(Decimal(repr(bound)), "f").removesuffix(".0")
