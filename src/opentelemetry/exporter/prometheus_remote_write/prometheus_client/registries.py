"""The sources of families: the registries of this process, or the folder that several processes share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from .collection import Collector, Restricted
from .shared_folder import SharedFolder, shared_folder

# A collector that hangs while being registered holds the registry's lock, and so may a forked child.
_LOCK_TIMEOUT = 0.1  # seconds


class Registries:
    """Finds the collectors of each export.

    Args:
        chosen: Registries; None is the default one, once the application has imported prometheus_client.
        environ: The environment, whose PROMETHEUS_MULTIPROC_DIR names the folder that several processes share.
        modules: The imported modules.

    Attributes:
        folder: The folder that several processes share, if there is one.
    """

    def __init__(
        self,
        chosen: Sequence[Any] | None,
        environ: Mapping[str, str] = os.environ,
        modules: Mapping[str, Any] = sys.modules,
    ) -> None:
        self._chosen = chosen
        self._environ = environ
        self._modules = modules
        self.folder: SharedFolder | None = None
        self._of_folder: list[Collector] = []
        self._made: dict[object, Collector] = {}

    def own(self) -> Sequence[Collector]:
        """Return the collectors of only this process."""
        if self._chosen is not None:
            return [collector for collector in self._collectors_of(self._chosen) if not _is_of_folder(collector)]
        registry = getattr(self._modules.get("prometheus_client"), "REGISTRY", None)
        return [] if self._path() or registry is None else self._collectors_of([registry])

    def shared(self, *, last: bool) -> Sequence[Collector] | None:
        """Return the collectors of the folder; None if another process pushes it, or there is none.

        Args:
            last: Whether this process exports for the last time.

        Raises:
            OSError: The folder cannot be used.
        """
        library = self._modules.get("prometheus_client")
        if self._chosen is not None:
            self._of_folder = [each for each in self._collectors_of(self._chosen) if _is_of_folder(each)]
        path = self._path()
        if not (library and path):
            return None
        self.folder = self.folder or shared_folder(path)
        if not self.folder.is_ours(self, last=last):
            return None
        if not self._of_folder:
            # Part of the library, which the application has imported; it registers itself with the given registry.
            multiprocess = import_module("prometheus_client.multiprocess")
            self._of_folder = [multiprocess.MultiProcessCollector(library.CollectorRegistry(), path)]
        return self._of_folder

    def release(self) -> None:
        """Leave the shared folder to the other processes."""
        if self.folder:
            self.folder.release(self)

    def _path(self) -> str | None:
        """Return the folder's path; empty if there is none. The application may set the variable itself."""
        if self._chosen is not None:
            return next((str(each._path) for each in self._of_folder), None)  # type: ignore[attr-defined]  # noqa: SLF001 - the library has no public way
        return self._environ.get("PROMETHEUS_MULTIPROC_DIR") or self._environ.get("prometheus_multiproc_dir")

    def _collectors_of(self, registries: Sequence[Any]) -> list[Collector]:
        """Return the collectors of registries, each once even if several registries contain it."""
        found = (collector for registry in registries for collector in self._collectors(registry))
        return list({id(collector): collector for collector in found}.values())

    def _collectors(self, registry: Any) -> Sequence[Collector]:
        """Return the collectors of a registry, or the registry itself if they are not accessible.

        A registry's own ``collect`` ends with the first collector that raises.
        """
        try:
            names = registry._name_set if _is_of_library(registry, "RestrictedRegistry") else None  # noqa: SLF001 - see above
            whole = registry if names is None else registry._registry  # noqa: SLF001 - see above
            if not _is_of_library(whole, "CollectorRegistry") or not whole._lock.acquire(timeout=_LOCK_TIMEOUT):  # noqa: SLF001 - see above
                return [registry]  # which is called in the thread that may hang
            try:
                registered = dict(whole._collector_to_names)  # noqa: SLF001 - see above
                nameless = [*getattr(whole, "_collectors_without_names", ())]
                has_info = bool(getattr(whole, "_target_info", None))
            finally:
                whole._lock.release()  # noqa: SLF001 - see above
        except Exception:  # noqa: BLE001 - a foreign registry, or another version's
            return [registry]
        info = [self._once(_TargetInfo, whole)] if has_info else []
        if names is None:
            return [*info, *registered]
        chosen = [each for each, its in registered.items() if names.intersection(its) or each in nameless]
        return [*(info if "target_info" in names else ()), *(self._once(Restricted, each, names) for each in chosen)]

    def _once(self, kind: Callable[..., Collector], of: Any, *others: Any) -> Collector:
        """Return the same collector object each time, so that it is recognised when it hangs."""
        return self._made.setdefault((kind, id(of)), kind(of, *others))


def _is_of_library(registry: Any, name: str) -> bool:
    """Return whether a registry is of the library's class, or collects in the same way."""
    collect = type(registry).collect  # a subclass may have its own method
    return (collect.__module__, collect.__qualname__) == ("prometheus_client.registry", f"{name}.collect")


def _is_of_folder(collector: object) -> bool:
    return any(
        (kind.__module__, kind.__name__) == ("prometheus_client.multiprocess", "MultiProcessCollector")
        for kind in type(collector).__mro__
    )


class _TargetInfo:
    """The info metric that was set for a whole registry."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def collect(self) -> list[Any]:
        return [self._registry._target_info_metric()]  # noqa: SLF001 - the library has no public way
