"""The packages behind the servers, and which suite each comes from."""

from collections.abc import Callable

from tests.servers.debian import Debian
from tests.servers.interpreter import make_it_run_where_it_is
from tests.servers.package import Package, installed


def prometheus_stable() -> Package:
    """The Prometheus of the machine's own release: 2.42 on Debian 12, which speaks protocol 1.0 only."""
    return Debian().of_own_suite("prometheus")


def prometheus_current() -> Package:
    """The first Prometheus that is a 3.x with long-term support: 3.5 or later, of a newer suite where need be."""
    return Debian().at_least("prometheus", (3, 5), "usr/bin/prometheus")


def victoria_metrics() -> Package:
    """The single-node VictoriaMetrics of the machine's own release."""
    return Debian().of_own_suite_with_libraries("victoria-metrics")


def nginx() -> Package:
    """The system's nginx, or else that of its release."""
    return installed("nginx", "usr/sbin/nginx") or Debian().of_own_suite_with_libraries("nginx")


def squid() -> Package:
    """The system's squid, or else that of its release."""
    return installed("squid", "usr/sbin/squid") or Debian().of_own_suite_with_libraries("squid")


def redis() -> Package:
    """The system's Redis, or else that of its release."""
    name = "redis-server"
    return installed(name, REDIS) or Debian().of_own_suite_with_libraries(name)


def chromium() -> Package:
    """The system's headless Chromium, or else that of its release."""
    name = "chromium-headless-shell"
    return installed(name, CHROMIUM) or Debian().of_own_suite_with_libraries(name)


def strace() -> Package:
    """The system's strace, or else that of its release: it shows the system calls of a process."""
    return installed("strace", STRACE) or Debian().of_own_suite_with_libraries("strace")


def python_3_14() -> Package:
    """The CPython 3.14 of a newer suite, with a C library of its own; `.ci/pythons` lists it then."""
    patchelf = installed("patchelf", "usr/bin/patchelf") or Debian().of_own_suite_with_libraries("patchelf")
    return Debian().of_newer_suite_with_everything(
        "python3.14-venv", lambda home: make_it_run_where_it_is(home, "3.14", patchelf)
    )


REDIS = "usr/bin/redis-server"
CHROMIUM = "usr/lib/chromium/chromium-headless-shell"
STRACE = "usr/bin/strace"

ALL: dict[str, Callable[[], Package]] = {
    "prometheus (stable)": prometheus_stable,
    "prometheus (current)": prometheus_current,
    "victoria-metrics": victoria_metrics,
    "nginx": nginx,
    "squid": squid,
    "redis": redis,
    "chromium": chromium,
    "strace": strace,
    "python 3.14": python_3_14,
}
