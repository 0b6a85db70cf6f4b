"""Our exporter in a declarative configuration file (``OTEL_CONFIG_FILE``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from opentelemetry.sdk import environment_variables

from .finding import Finding, failure, ok, warning
from .launcher_choice import NAME

_ARGUMENTS_OF_CODE = ("resources_as_labels", "preferred_temporality", "preferred_aggregation")
_SAMPLE = f"meter_provider: {{readers: [{{periodic: {{exporter: {{{NAME}: {{endpoint: ...}}}}}}}}]}}"


def reads_a_file(environ: Mapping[str, str]) -> bool:
    """Return whether a file is named that the SDK reads: from 1.44 on."""
    return bool(environ.get("OTEL_CONFIG_FILE")) and hasattr(environment_variables, "OTEL_CONFIG_FILE")


class DeclaredExporter(NamedTuple):
    """Our exporter, as the file declares it.

    Args:
        keywords: Its arguments.
        resource: The file's description of the resource, as the SDK's model.
    """

    keywords: Mapping[str, Any]
    resource: Any


class Unusable(Exception):
    """The file cannot be used.

    Args:
        finding: Why.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def declared(path: str) -> DeclaredExporter:
    """Return our exporter as the file declares it.

    Args:
        path: The file.

    Raises:
        Unusable: There is no such exporter, or the SDK cannot read the file.
    """
    model = _model(path)
    if getattr(model, "disabled", None):
        raise Unusable(failure("file-disabled", f"{path} says disabled: true", "take that line out"))
    for reader in getattr(getattr(model, "meter_provider", None), "readers", None) or ():
        exporter = getattr(getattr(reader, "periodic", None), "exporter", None)
        keywords = getattr(exporter, "additional_properties", None) or {}
        if NAME in keywords:
            given = dict(keywords[NAME] or {})
            return DeclaredExporter(
                {name: value for name, value in given.items() if name not in _ARGUMENTS_OF_CODE},
                getattr(model, "resource", None),
            )
    raise Unusable(failure("file-exporter", f"{path} declares no exporter {NAME}", f"declare it: {_SAMPLE}"))


def used(path: str) -> Finding:
    """Return the finding that the file is used."""
    return ok("file", f"OTEL_CONFIG_FILE={path} says what is exported; OTEL_METRICS_EXPORTER is not read")


def ignored(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding if a file is named but not read."""
    if path := environ.get("OTEL_CONFIG_FILE"):
        text = f"OTEL_CONFIG_FILE={path} is not read by this version of opentelemetry-sdk; the other variables apply"
        yield warning("file-ignored", text, "pip install --upgrade 'opentelemetry-sdk[file-configuration]>=1.44'")


def _model(path: str) -> Any:
    if not Path(path).is_file():
        raise Unusable(
            failure("file-missing", f"OTEL_CONFIG_FILE={path} is not a file that can be read", "name a file")
        )
    try:
        from opentelemetry.configuration import load_config_file  # noqa: PLC0415 - an extra of the SDK
    except ImportError:
        text = "OTEL_CONFIG_FILE needs opentelemetry-configuration, which is not installed"
        raise Unusable(failure("file-support", text, "pip install 'opentelemetry-sdk[file-configuration]'")) from None
    try:
        return load_config_file(path)
    except Exception as error:  # noqa: BLE001 - from the SDK, YAML or the schema
        # Their texts quote the file, which may contain secrets: report only the place.
        text = f"{path} cannot be read as a configuration{_place(error)}"
        raise Unusable(
            failure("file-wrong", text, "see the schema of OpenTelemetry's declarative configuration")
        ) from None


def _place(error: BaseException | None) -> str:
    while error is not None:
        if place := getattr(error, "json_path", ""):
            return f" at {place}"
        if mark := getattr(error, "problem_mark", None):
            return f" at line {mark.line + 1}"
        error = error.__cause__
    return ""
