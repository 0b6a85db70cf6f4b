"""The main job, seen working: a web application that knows nothing of metrics, and what arrives of it.

Run by `make demo`, and by `make demo PROMETHEUS=1` for a real Prometheus instead of the receiver in the package.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
from urllib3.exceptions import HTTPError

from examples.launcher import from_prometheus, from_receiver, traffic
from examples.launcher import outage as outages
from examples.launcher.report import Check, Report, checks, table
from examples.launcher.shop import COMMAND, Shop, ShopError
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from opentelemetry.exporter.prometheus_remote_write.receiver.page import Page
from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store
from tests.receivers.between import Between
from tests.servers.package import UnavailableError
from tests.servers.packages import prometheus_current
from tests.servers.ports import free_port
from tests.servers.prometheus import Prometheus

_LINES_OF_LOG = 40


class _Backend(NamedTuple):
    """Where the metrics go: the write URL, how many requests it knows of, the whole report, and what it refused.

    Places are what there is to look at in a browser.
    """

    url: str
    counted: Callable[[], float]
    read: Callable[[traffic.Traffic], Report]
    refused: Callable[[], list[str]]
    places: list[str]
    outage: Callable[[], Iterator[Check]] | None = None


def main() -> int:
    """Run the demonstration; the exit status is 0 only if all that was sent has arrived, with the right values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prometheus", action="store_true", help="push to a real Prometheus")
    parser.add_argument("--hold", type=float, default=0, metavar="SECONDS", help="stay up so long before the end")
    parser.add_argument("--outage", action="store_true", help="with --prometheus: close the way until the alert fires")
    arguments = parser.parse_args()
    if arguments.outage and not arguments.prometheus:
        parser.error("--outage needs --prometheus, which evaluates the alert")
    try:
        with _prometheus(outage=arguments.outage) if arguments.prometheus else _receiver() as backend:
            return 0 if _demonstrate(backend, arguments.hold) else 1
    except UnavailableError as reason:
        print(f"A real Prometheus cannot be had here: {reason}")
        return 1
    except KeyboardInterrupt:
        return 130


def _demonstrate(backend: _Backend, hold: float) -> bool:
    settings = {
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_PYTHON_DISTRO": "prometheus_remote_write",
        "OTEL_EXPORTER_PRW_ENDPOINT": backend.url,
        "OTEL_EXPORTER_PRW_INTERVAL": "1000",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
    }
    print("A web shop (examples/launcher/app.py) that knows nothing of metrics is started with\n")
    print(*(f"    {name}={text} \\" for name, text in settings.items()), f"    {COMMAND}\n", sep="\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        shop = Shop(settings, free_port(), Path(folder, "shop.log"))
        try:
            with shop:
                results = list(_results(shop, backend, hold))
        except (ShopError, HTTPError) as error:
            results = [Check(f"the shop serves: {error}", holds=False)]
        print(*(f"{'  ok' if holds else 'FAIL'}  {sentence}" for sentence, holds in results), sep="\n")
        while_up = "was" if hold else "is, with HOLD=60 for a minute,"
        print(*(f"\nThere {while_up} {place}" for place in backend.places[:1]), sep="")
        good = all(holds for _, holds in results)
        if not good:
            said = [line for line in shop.log.splitlines() if " - - [" not in line]
            print("What the shop printed, without its access log:", *said[:_LINES_OF_LOG], sep="\n    ")
        return good


def _results(shop: Shop, backend: _Backend, hold: float) -> Iterator[Check]:
    print(f"It serves at {shop.url}. Sending requests ...", end=" ", flush=True)
    sent = traffic.send(shop.url)
    print(f"{len(sent.answered)} in {sent.end - sent.begin:.1f} s.\n", flush=True)
    memory = psutil.Process(shop.pid).memory_info().rss
    _wait_until(lambda: backend.counted() == len(sent.answered))
    report = backend.read(sent)
    print(*table(report, sent), sep="\n", end="\n\n", flush=True)
    yield from checks(report, sent, memory)
    if backend.outage:
        yield from backend.outage()
    if hold:
        _hold(shop, backend, hold)
    yield Check("the shop ended in good order on Ctrl-C", shop.stop() == 0)
    refused = backend.refused()
    yield Check("; ".join(["nothing was refused", *refused]), not refused)


def _hold(shop: Shop, backend: _Backend, seconds: float) -> None:
    """Keep everything up, and visitors coming, so long or until Ctrl-C."""
    with suppress(KeyboardInterrupt), traffic.kept_up(shop.url):
        print(f"Up for another {seconds:g} s, or until Ctrl-C:")
        print(*(f"    {place}" for place in (f"the shop at {shop.url}", *backend.places)), "", sep="\n", flush=True)
        time.sleep(seconds)


def _wait_until(arrived: Callable[[], bool], seconds: float = 10) -> None:
    """The last requests come with the next push; what does not come in time is the business of the checks."""
    deadline = time.monotonic() + seconds
    while not arrived() and time.monotonic() < deadline:
        time.sleep(0.1)


@contextmanager
def _receiver() -> Iterator[_Backend]:
    store = Store()
    with Receiver(listener=store, pages=Page(store)) as receiver:
        yield _Backend(
            receiver.url,
            lambda: from_receiver.counted(receiver),
            lambda sent: from_receiver.read(receiver, sent),
            lambda: [f"{each.status}: {each.reason}" for each in receiver.rejected],
            [f"a page with these metrics at {receiver.page}"],
        )


@contextmanager
def _prometheus(*, outage: bool) -> Iterator[_Backend]:
    with ExitStack() as stack:
        rules = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo-")), "rules.yaml")
        rules.write_text(outages.rules_for_the_demo(), encoding="utf-8")
        configuration = outages.configuration(str(rules))
        prometheus = stack.enter_context(Prometheus(prometheus_current(), configuration=configuration))
        print(f"Prometheus {prometheus.version} can be looked at while this runs: {prometheus.url}")
        print(f"It evaluates the rules of examples/monitoring: {prometheus.url}/alerts\n", flush=True)
        way = stack.enter_context(Between(prometheus.write_url)) if outage else None
        yield _Backend(
            way.url if way else prometheus.write_url,
            lambda: from_prometheus.counted(prometheus),
            lambda sent: from_prometheus.read(prometheus, sent),
            lambda: [line for line in prometheus.log.splitlines() if "level=WARN" in line or "level=ERROR" in line],
            [f"Prometheus at {prometheus.url}", f"its alerts at {prometheus.url}/alerts"],
            (lambda: outages.show(prometheus, way)) if way else None,
        )


if __name__ == "__main__":
    sys.exit(main())
