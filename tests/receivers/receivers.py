"""The receivers that are measured, each as it is set up for all that it can hold, and as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.receivers import programs
from tests.receivers.build import built
from tests.receivers.cortex import Cortex, flags_of_example
from tests.receivers.thanos import ThanosReceive
from tests.servers import packages
from tests.servers.prometheus import Prometheus
from tests.servers.victoria_metrics import VictoriaMetrics


class Receiver(NamedTuple):
    """One of them.

    Args:
        title: What the page calls it; its version is added.
        setup: What was set for it, in a few words.
        make: A server that is not started yet.
        protocols: What is measured with it: those that it speaks, and auto.
        is_default: Whether it is set up as it comes, and so holds less than it could.
    """

    title: str
    setup: str
    make: Callable[..., Any]
    protocols: tuple[str, ...]
    is_default: bool = False


CORTEX_FLAGS = ("-ingester.max-exemplars=1000", "-name-validation-scheme=utf8")
PROMETHEUS_FEATURES = ("native-histograms", "exemplar-storage")
THANOS_FLAGS = ("--tsdb.max-exemplars=1000",)


def _prometheus(package: Callable[[], Any], **options: Any) -> Callable[..., Any]:
    return lambda flags=(): Prometheus(package(), flags=flags, **options)


RECEIVERS = {
    "prometheus-stable": Receiver(
        "Prometheus", "Debian's package, no features", _prometheus(packages.prometheus_stable), ("1.0", "auto")
    ),
    "prometheus-lts": Receiver(
        "Prometheus",
        f"Debian's package, `--enable-feature={','.join(PROMETHEUS_FEATURES)}`",
        _prometheus(packages.prometheus_current, features=PROMETHEUS_FEATURES),
        ("1.0", "2.0", "auto"),
    ),
    "prometheus": Receiver(
        "Prometheus",
        f"`--enable-feature={PROMETHEUS_FEATURES[1]}`",
        _prometheus(lambda: built(programs.PROMETHEUS), features=PROMETHEUS_FEATURES[1:]),
        ("1.0", "2.0", "auto"),
    ),
    "cortex": Receiver(
        "Cortex",
        f"the Compose example's configuration and flags, {' '.join(f'`{flag}`' for flag in CORTEX_FLAGS)}",
        lambda flags=(): Cortex(built(programs.CORTEX), flags=[*flags_of_example(), *CORTEX_FLAGS, *flags]),
        ("1.0", "2.0", "auto"),
    ),
    "cortex-default": Receiver(
        "Cortex",
        "the Compose example's configuration without its flags",
        lambda flags=(): Cortex(built(programs.CORTEX), flags=flags),
        ("auto",),
        is_default=True,
    ),
    "thanos": Receiver(
        "Thanos Receive",
        " ".join(f"`{flag}`" for flag in THANOS_FLAGS),
        lambda flags=(), limits=None, monitoring="": ThanosReceive(
            built(programs.THANOS), flags=[*THANOS_FLAGS, *flags], limits=limits, monitoring=monitoring
        ),
        ("1.0", "auto"),
    ),
    "thanos-default": Receiver(
        "Thanos Receive",
        "no flags",
        lambda flags=(): ThanosReceive(built(programs.THANOS), flags=flags),
        ("auto",),
        is_default=True,
    ),
    "victoria-metrics": Receiver(
        "VictoriaMetrics",
        "single node, Debian's package",
        lambda flags=(): VictoriaMetrics(packages.victoria_metrics(), flags=flags),
        ("1.0", "auto"),
    ),
}
