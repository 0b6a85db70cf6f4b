"""Receive pushes and show what arrives, refusing strictly what the protocol forbids."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from opentelemetry.exporter.prometheus_remote_write.receiver import Received, RejectedRequest
    from opentelemetry.exporter.prometheus_remote_write.receiver.outbox import Outbox
    from opentelemetry.exporter.prometheus_remote_write.receiver.screen.app import ReceiverScreen
    from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store

EXAMPLE = "otel-prw receive --listen 127.0.0.1:9009"
EXIT_STATUSES = "0 when it is stopped, 2 for a usage error or if it cannot listen"

_DEFAULT_HOST, _DEFAULT_PORT = "127.0.0.1", 9009
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument(
        "--listen",
        metavar="[HOST]:PORT",
        type=_address,
        default=(_DEFAULT_HOST, _DEFAULT_PORT),
        help=f"where to listen, {_DEFAULT_HOST}:{_DEFAULT_PORT} by default; port 0 picks a free one",
    )
    parser.add_argument("--once", metavar="N", type=_count, help="end after N accepted pushes of series")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each sample, and nothing else")
    parser.add_argument(
        "--keep-series", metavar="N", type=_count, default=20_000, help="how many series to keep, 20000 by default"
    )
    parser.add_argument(
        "--keep", metavar="TIME", type=_duration, default=900, help="how long to keep a point, 15m by default"
    )


def run(arguments: argparse.Namespace) -> int:
    """Receive until interrupted, or until enough has come.

    Args:
        arguments: ``listen`` (host and port), ``once`` (pushes, or None), ``json``, ``keep_series`` and ``keep``
            (seconds).

    Returns:
        The exit status: 0, or 2 if it could not start.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: a pod's end is no failure
    try:
        return _receive(arguments)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        return 0  # the reader has closed the pipe


def _receive(arguments: argparse.Namespace) -> int:
    try:
        from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver  # noqa: PLC0415 - may be missing
        from opentelemetry.exporter.prometheus_remote_write.receiver.origin import is_own_host  # noqa: PLC0415 - the same
        from opentelemetry.exporter.prometheus_remote_write.receiver.outbox import Outbox  # noqa: PLC0415 - the same
        from opentelemetry.exporter.prometheus_remote_write.receiver.page import Page  # noqa: PLC0415 - the same
        from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store  # noqa: PLC0415 - the same
    except ImportError as error:
        return _fail(f"it cannot run without protobuf and python-snappy: {error}")
    host, port = arguments.listen
    store = Store(arguments.keep_series, arguments.keep)
    outbox = Outbox()
    wants_screen = sys.stdout.isatty() and not arguments.json
    screen = _screen() if wants_screen else None
    listener = store if screen else _listener(store, outbox, as_json=arguments.json, once=arguments.once)
    try:
        receiver = Receiver(host, port, keep=0, listener=listener, pages=Page(store))
    except OSError as error:
        return _fail(f"it cannot listen on {host} port {port}: {error.strerror or error}")
    with receiver:
        _say(f"OTEL_EXPORTER_PRW_ENDPOINT={receiver.url}")
        _say(f"page: {receiver.page}")
        if not is_own_host(host):
            _say(
                f"otel-prw receive: warning: listening on {host}: anyone who reaches it over the network can push to it"
                " and see its data, without a password and unencrypted"
            )
        if screen:
            screen(store, receiver.url, receiver.page, arguments.once).run()
            return 0
        if wants_screen:
            _say("otel-prw receive: plain lines follow; install the extra `tui` for an interactive screen")
        _print(outbox)
    return 0


def _screen() -> type[ReceiverScreen] | None:
    try:
        from opentelemetry.exporter.prometheus_remote_write.receiver.screen.app import (  # noqa: PLC0415 - an extra
            ReceiverScreen,
        )
    except ImportError:
        return None
    return ReceiverScreen


def _listener(
    store: Store, outbox: Outbox, *, as_json: bool, once: int | None
) -> Callable[[Received | RejectedRequest], None]:
    """Return the function that takes each request and puts its output into the outbox."""
    from opentelemetry.exporter.prometheus_remote_write.receiver import RejectedRequest  # noqa: PLC0415 - as above
    from opentelemetry.exporter.prometheus_remote_write.receiver.json_lines import json_lines  # noqa: PLC0415 - as above
    from opentelemetry.exporter.prometheus_remote_write.receiver.lines import (  # noqa: PLC0415 - as above
        push_lines,
        rejection_line,
    )

    def listen(request: Received | RejectedRequest) -> None:
        store(request)
        if isinstance(request, RejectedRequest):
            outbox.put([rejection_line(request)], is_error=True)
        elif request.series:  # without series it is metadata of 1.0 or a version probe: nothing to show
            outbox.put(json_lines(request) if as_json else push_lines(store, request))
            if once is not None and store.counts["pushes"] >= once:
                outbox.close()

    return listen


def _print(outbox: Outbox) -> None:
    while text := outbox.take():
        _write(sys.stderr if text.is_error else sys.stdout, text.text)
        if lost := outbox.lost():
            _say(f"otel-prw receive: its output was not read, so {lost} pushes were not printed")


def _write(stream: TextIO, text: str) -> None:
    """Write unbuffered: Python would block flushing a buffer at exit if nobody reads."""
    rest = memoryview(text.encode(stream.encoding or "utf-8", "backslashreplace"))
    while rest:
        rest = rest[os.write(stream.fileno(), rest) :]


def _fail(message: str) -> int:
    _say(f"otel-prw receive: {message}")
    return 2


def _say(line: str) -> None:
    _write(sys.stderr, f"{line}\n")


def _address(text: str) -> tuple[str, int]:
    """Parse ``host:port`` or ``:port``, an IPv6 address in brackets."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or _DEFAULT_HOST, parts.port
    except ValueError:
        port = None
    if port is None or parts.netloc != text or "@" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, nor :PORT")
    return host, port


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _duration(text: str) -> int:
    number = text.rstrip("smh")
    unit = text.removeprefix(number)
    if not number.isdecimal() or unit not in _UNITS or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 90s, 15m or 1h")
    return int(number) * _UNITS[unit]
