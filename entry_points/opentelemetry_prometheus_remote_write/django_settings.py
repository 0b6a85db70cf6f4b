"""Django's settings, which its instrumentation reads before the application names them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from logging import getLogger

from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_DISABLED_INSTRUMENTATIONS

_logger = getLogger(__name__)

_VARIABLE = "DJANGO_SETTINGS_MODULE"


def warn_without_django_settings(environ: Mapping[str, str]) -> None:
    """Warn where Django would fail every request, because its instrumentation configures empty settings.

    Args:
        environ: The environment.
    """
    disabled = {name.strip() for name in environ.get(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, "").split(",")}
    if environ.get(_VARIABLE) or disabled & {"django", "*"}:
        return
    if _is_installed("django") and _is_installed("opentelemetry.instrumentation.django"):
        _logger.warning(
            "Django is installed and %s is not set: under the launcher a Django application fails at every request. Set"
            " it, or %s=django if Django is not used",
            _VARIABLE,
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS,
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
