"""A declarative file (``OTEL_CONFIG_FILE``), read as the SDK does, but a mistake in our part costs only metrics.

The SDK ends the instrumentation of the whole application if the file breaks its schema or an exporter raises. It also
passes a plugin's part on as keywords, which fails outside the exporter unless that is a mapping with text as keys.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from logging import getLogger
from typing import Any

from opentelemetry.sdk import environment_variables as sdk

from opentelemetry_prometheus_remote_write import NAME

_logger = getLogger(__name__)

_VARIABLE = "OTEL_CONFIG_FILE"


def reads_a_file(environ: Mapping[str, str]) -> bool:
    """Return whether the SDK should build itself from a declarative file, and can: from 1.44 on."""
    if not environ.get(_VARIABLE):
        return False
    if hasattr(sdk, _VARIABLE):
        return True
    _logger.warning("%s is ignored: it needs opentelemetry-sdk 1.44 or later; the other variables apply", _VARIABLE)
    return False


def build_from_file() -> bool:
    """Build the SDK from the file; return whether that was possible, which needs a package of the SDK's.

    Raises:
        Exception: From the SDK, for mistakes outside our part of the file.
    """
    try:
        from opentelemetry.configuration import configure_sdk, load_config_file  # noqa: PLC0415 - an extra of the SDK
    except ImportError:
        return False
    from opentelemetry.exporter.prometheus_remote_write.configuration.declarative import (  # noqa: PLC0415 - as the exporter
        from_declarative_file,
    )

    with suppress(Exception):  # a later SDK keeps its schema elsewhere, and reports mistakes itself
        _let_our_part_pass()
    model = load_config_file(os.environ[_VARIABLE])
    if provider := model.meter_provider:
        provider.readers = [reader for reader in provider.readers if _is_usable(reader)]
    with from_declarative_file():
        configure_sdk(model)
    return True


def _let_our_part_pass() -> None:
    """Make the SDK's schema accept anything for our part, which :func:`_is_usable` checks."""
    from opentelemetry.configuration.file import _loader  # noqa: PLC0415 - an extra of the SDK

    _loader._get_schema()["$defs"]["PushMetricExporter"]["properties"][NAME] = True  # noqa: SLF001 - there is no other way


def _is_usable(reader: Any) -> bool:
    """Return whether the SDK can build a reader; convert the keys of our arguments to text."""
    exporter = getattr(getattr(reader, "periodic", None), "exporter", None)
    parts = getattr(exporter, "additional_properties", None) or {}
    if (part := parts.get(NAME)) is None:
        return True
    if isinstance(part, dict):
        parts[NAME] = {str(key): value for key, value in part.items()}  # the exporter reports unknown ones
        return True
    what = f"{NAME} must hold arguments (name: value), not be of the type {type(part).__name__}"
    _logger.error("Metrics are not sent by Remote Write: mistake in the file: %s", what)
    return False
