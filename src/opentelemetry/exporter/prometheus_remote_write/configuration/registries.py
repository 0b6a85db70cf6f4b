"""The setting that says which registries of prometheus_client are pushed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .number_types import BOOLEAN
from .setting_type import SettingType, wrong_type


def _accept(value: object) -> bool | tuple[Any, ...]:
    if isinstance(value, bool):
        return value
    registries = (value,) if hasattr(value, "collect") else value
    if not isinstance(registries, Sequence) or not all(hasattr(registry, "collect") for registry in registries):
        raise wrong_type("be True, False, a registry of prometheus_client or several", value)
    return tuple(registries)


REGISTRIES: SettingType[bool | tuple[Any, ...]] = SettingType(BOOLEAN.name, BOOLEAN.parse, _accept)
