"""Where the families come from: the registries of this process, or the folder that several processes share."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from .collection import Collector
from .shared_folder import SharedFolder

_PATIENCE = 0.1  # seconds; a collector that hangs while it is registered holds the registry's lock, as a fork may


class Registries:
    """Finds the collectors of each export.

    Args:
        chosen: Registries; None is the default one, once the application has imported prometheus_client.
        environ: The environment, whose PROMETHEUS_MULTIPROC_DIR names the folder that several processes share.
        modules: The modules that the application has imported.
    """

    def __init__(
        self,
        chosen: Sequence[Any] | None,
        environ: Mapping[str, str] = os.environ,
        modules: Mapping[str, Any] = sys.modules,
    ) -> None:
        self._chosen = chosen
        self._modules = modules
        folder = environ.get("PROMETHEUS_MULTIPROC_DIR") or environ.get("prometheus_multiproc_dir")
        self.shared = SharedFolder(folder) if folder and chosen is None else None
        self._shared_collector: list[Collector] = []

    def collectors(self, *, last: bool) -> list[Collector]:
        """Return the collectors that this process has to ask.

        Args:
            last: Whether this process exports for the last time.
        """
        library = self._modules.get("prometheus_client")
        if self.shared is not None:
            return self._of_shared_folder(library) if library and self.shared.is_ours(last=last) else []
        registries = self._chosen if self._chosen is not None else [getattr(library, "REGISTRY", None)]
        return [collector for registry in registries if registry is not None for collector in _collectors(registry)]

    def _of_shared_folder(self, library: Any) -> list[Collector]:
        if not self._shared_collector:
            # A part of what the application has imported; it registers itself with the registry that it is given.
            multiprocess = import_module("prometheus_client.multiprocess")
            self._shared_collector = [multiprocess.MultiProcessCollector(library.CollectorRegistry())]
        return self._shared_collector


def _collectors(registry: Any) -> list[Collector]:
    """Return the collectors of a registry, or the registry itself where they cannot be had."""
    try:
        # Its own way to collect ends with the first collector that raises.
        lock = registry._lock  # noqa: SLF001 - see above
        if not lock.acquire(timeout=_PATIENCE):
            return [registry]  # which is asked where it may hang
        try:
            collectors: list[Collector] = [*registry._collector_to_names]  # noqa: SLF001 - see above
            info: list[Collector] = [_TargetInfo(registry)] if registry._target_info else []  # noqa: SLF001 - see above
        finally:
            lock.release()
    except (AttributeError, TypeError):
        return [registry]
    return info + collectors


class _TargetInfo:
    """The info metric that was set for a registry as a whole."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def collect(self) -> list[Any]:
        return [self._registry._target_info_metric()]  # noqa: SLF001 - the library has no public way

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _TargetInfo) and other._registry is self._registry

    def __hash__(self) -> int:
        return id(self._registry)
