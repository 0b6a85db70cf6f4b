"""The configurator: builds the SDK as OpenTelemetry's own does, with our controller and its interval for our exporter.

When a configurator raises, the launcher gives up every signal and every instrumentation, so ours never raises.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from logging import getLogger
from typing import Any

from opentelemetry.environment_variables import OTEL_METRICS_EXPORTER
from opentelemetry.sdk.environment_variables import (
    OTEL_METRIC_EXPORT_INTERVAL,
    OTEL_METRIC_EXPORT_TIMEOUT,
    OTEL_SDK_DISABLED,
)

from opentelemetry_prometheus_remote_write import DISTRIBUTION, NAME, is_own_command
from opentelemetry_prometheus_remote_write.exporter_names import chosen_exporters
from opentelemetry_prometheus_remote_write.log_level import show_logs

try:
    from opentelemetry.sdk._configuration import _OTelSDKConfigurator as SdkConfigurator
except ImportError:  # private, so a later SDK may lack it
    from opentelemetry_prometheus_remote_write.metrics_configurator import (  # type: ignore[assignment]  # what is used of it
        MetricsConfigurator as SdkConfigurator,
    )

_logger = getLogger(__name__)

CONTROLLER = f"_{NAME}_controller"
"""The exporter name under which the SDK finds our controller class, which it then builds and owns."""

_EXPORTER = "opentelemetry.exporter.prometheus_remote_write.exporter"
_DEFAULT_INTERVAL = 60_000.0  # milliseconds; the specification's


class PrometheusRemoteWriteConfigurator(SdkConfigurator):
    """Builds the SDK from the environment, or from a declarative file in the SDK's own way.

    It subclasses no other distro's configurator, because the two would share one instance.
    """

    def _configure(self, **kwargs: Any) -> None:
        if is_own_command(sys.orig_argv):
            return
        show_logs(os.environ)
        try:
            self._build(kwargs)
        except RuntimeError:
            if _has_daemon_threads():
                raise
            _logger.warning(
                "Nothing is exported from this sub-interpreter: Python allows no daemon threads in it, which the "
                "exporters of traces and logs need, too"
            )
        _look_after_the_application()

    def _build(self, kwargs: dict[str, Any]) -> None:
        if os.environ.get("OTEL_CONFIG_FILE"):
            # Imported late, because hardly any process has such a file.
            from opentelemetry_prometheus_remote_write.declarative_file import build_from_file, reads_a_file  # noqa: PLC0415

            if reads_a_file(os.environ):
                if not build_from_file():
                    # The file configures everything; the SDK would warn that it ignores any arguments.
                    super()._configure()  # type: ignore[no-untyped-call]  # the SDK's
                return
        # Imported late, like the exporter. Reading the version from the distribution's metadata would take longer.
        from opentelemetry.exporter.prometheus_remote_write.version import __version__  # noqa: PLC0415 - see above

        kwargs["resource_attributes"] = {
            "telemetry.distro.name": DISTRIBUTION,
            "telemetry.distro.version": __version__,
        }
        chosen = chosen_exporters(os.environ.get(OTEL_METRICS_EXPORTER, ""))
        others = [name for name in chosen if name.strip() != NAME]
        if len(others) < len(chosen) and _prepare_controller():
            kwargs["metric_exporter_names"] = [CONTROLLER]
        with _metrics_exporters(others):
            super()._configure(**kwargs)  # type: ignore[no-untyped-call]  # the SDK's
        if len(others) < len(chosen) and not _has_daemon_threads():
            _logger.warning("Metrics are not collected in this sub-interpreter: Python allows no daemon threads in it")


def _look_after_the_application() -> None:
    """Install handlers for exits that would lose metrics, and check Django's settings, once our exporter exists."""
    if _EXPORTER in sys.modules:
        # Imported late, see _prepare_controller.
        from opentelemetry.exporter.prometheus_remote_write.lifecycle.exec import flush_before_exec  # noqa: PLC0415
        from opentelemetry.exporter.prometheus_remote_write.lifecycle.os_exit import (  # noqa: PLC0415
            flush_before_os_exit,
        )
        from opentelemetry.exporter.prometheus_remote_write.lifecycle.own_signal import (  # noqa: PLC0415
            flush_before_own_signal,
        )
        from opentelemetry.exporter.prometheus_remote_write.lifecycle.sigterm import flush_on_sigterm  # noqa: PLC0415
        from opentelemetry_prometheus_remote_write.django_settings import warn_without_django_settings  # noqa: PLC0415

        flush_on_sigterm()
        flush_before_exec()
        flush_before_os_exit()
        flush_before_own_signal()
        warn_without_django_settings(os.environ)


def _prepare_controller() -> bool:
    """Prepare what our controller is built with; return False if it is not needed or cannot work."""
    if os.environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true" or not _has_daemon_threads():
        return False
    try:
        # Imported late: a process that does not export by Remote Write does not pay for HTTP and protobuf. Where they
        # cannot be imported, because the application pins too old a version, only metrics are lost.
        from opentelemetry.exporter.prometheus_remote_write.exporter import (  # noqa: PLC0415 - see above
            PrometheusRemoteWriteMetricsExporter,
        )
        from opentelemetry.exporter.prometheus_remote_write.lifecycle.controller import Controller  # noqa: PLC0415 - see above

        exporter = PrometheusRemoteWriteMetricsExporter()
        _look_at_the_timeout(os.environ)
        own = exporter.settings.interval
        interval = _common_interval(os.environ) if own is None else own
    except Exception as error:  # noqa: BLE001 - see the module
        what = f"{type(error).__name__}: {error}"
        _logger.error("Metrics are not sent by Remote Write: the exporter cannot be created: %s", what)  # noqa: TRY400 - one line
        return False
    Controller.prepared = (exporter, interval)
    return True


def _has_daemon_threads() -> bool:
    """Return whether daemon threads are allowed here: not in a sub-interpreter."""
    try:
        threading.Thread(daemon=True)
    except RuntimeError:
        return False
    return True


def _common_interval(environ: Mapping[str, str]) -> float:
    """Return all controllers' interval in milliseconds; read here because the SDK raises if it is not positive."""
    text = environ.get(OTEL_METRIC_EXPORT_INTERVAL, "").strip()
    try:
        interval = float(text or _DEFAULT_INTERVAL)
    except ValueError:
        interval = 0
    if 0 < interval < threading.TIMEOUT_MAX * 1000:
        from opentelemetry.exporter.prometheus_remote_write.configuration.doubts import (  # noqa: PLC0415 - as the exporter
            interval_doubt,
        )

        if doubt := interval_doubt(OTEL_METRIC_EXPORT_INTERVAL, interval):
            _logger.warning("%s", doubt)
        return interval
    _logger.warning(
        "%s=%r must be a positive number of milliseconds; the default is used (%d)",
        OTEL_METRIC_EXPORT_INTERVAL,
        text[:60],
        _DEFAULT_INTERVAL,
    )
    return _DEFAULT_INTERVAL


def _look_at_the_timeout(environ: Mapping[str, str]) -> None:
    """Warn that the collection timeout, which the SDK reads itself, is suspiciously short."""
    from opentelemetry.exporter.prometheus_remote_write.configuration.doubts import (  # noqa: PLC0415 - as the exporter
        timeout_doubt,
    )

    with suppress(ValueError):  # the SDK reports it
        if doubt := timeout_doubt(OTEL_METRIC_EXPORT_TIMEOUT, float(environ.get(OTEL_METRIC_EXPORT_TIMEOUT, "0"))):
            _logger.warning("%s", doubt)


@contextmanager
def _metrics_exporters(names: list[str]) -> Iterator[None]:
    """Set the SDK's variable to these exporter names for a while, because the SDK accepts no argument for them."""
    before = os.environ.get(OTEL_METRICS_EXPORTER)
    os.environ[OTEL_METRICS_EXPORTER] = ",".join(names)
    try:
        yield
    finally:
        if before is None:
            del os.environ[OTEL_METRICS_EXPORTER]
        else:
            os.environ[OTEL_METRICS_EXPORTER] = before
