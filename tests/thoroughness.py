"""How many examples a property test tries: few in `make check`, many in `make fuzz`."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 100


def scaled(examples: int) -> int:
    """Return how many examples to try where it would usually be so many."""
    return max(1, examples * settings.default.max_examples // _USUAL)
