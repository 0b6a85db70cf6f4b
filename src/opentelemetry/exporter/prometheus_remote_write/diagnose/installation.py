"""The interpreter and its packages: do they meet the exporter's needs?"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import requires

from packaging.requirements import Requirement  # a dependency of opentelemetry-instrumentation

from ..version import DISTRIBUTION
from .finding import Finding, failure, ok, warning

_MODULES = ("..exporter", "..transport.pool", "..proto.write_v1_pb2", "..proto.write_v2_pb2")
"""The exporter, and the modules that only its first export imports: HTTP and protobuf."""

_SHOWN = ("opentelemetry-sdk", "opentelemetry-instrumentation", "urllib3", "protobuf", "python-snappy")


def findings(version_of: Callable[[str], str | None]) -> Iterator[Finding]:
    """Yield findings about what is installed, and what of it cannot work.

    Args:
        version_of: Returns the version of a distribution; None if it is not installed.
    """
    yield ok("python", f"{platform.python_version()}, {sys.executable}")
    shown = ", ".join(f"{name} {version_of(name) or '(not installed)'}" for name in (DISTRIBUTION, *_SHOWN))
    yield ok("packages", shown)
    for requirement in map(Requirement, requires(DISTRIBUTION) or ()):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = version_of(requirement.name)
        cure = f"pip install '{requirement.name}{requirement.specifier}'"
        if found is None:
            yield failure("package-missing", f"{requirement.name} is not installed", cure)
        elif not requirement.specifier.contains(found, prereleases=True):
            text = f"{requirement.name} {found} does not work: {requirement.specifier} is required"
            yield failure("package-version", text, cure)
    yield from _import_failures()


def _import_failures() -> Iterator[Finding]:
    try:
        for module in _MODULES:
            import_module(module, __package__)
    except Exception as error:  # noqa: BLE001 - whatever a foreign package raises on import
        yield failure(
            "import",
            f"the exporter cannot be imported: {type(error).__name__}: {error}",
            "install the versions that it needs into this environment",
        )
    try:
        import_module("snappy")
    except Exception as error:  # noqa: BLE001 - the same
        yield warning(
            "snappy",
            f"python-snappy cannot be imported ({type(error).__name__}: {error}): requests are sent uncompressed; "
            f"this is {_platform()}",
            "install python-snappy and cramjam for this Python; in a pod injected by the Operator, build the image "
            "with the application's Python, and annotate pods of Alpine with otel-python-platform: musl",
        )


def _platform() -> str:
    library, _ = platform.libc_ver()
    return f"{platform.python_implementation()} {platform.python_version()} with {library or 'musl or another libc'}"
