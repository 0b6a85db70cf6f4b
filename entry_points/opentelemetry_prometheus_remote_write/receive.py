"""Receive pushes and show what arrives, refusing strictly what the protocol forbids."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from queue import SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from opentelemetry.exporter.prometheus_remote_write.receiver import Received, Rejected
    from opentelemetry.exporter.prometheus_remote_write.receiver.display import Display

EXAMPLE = "otel-prw receive --listen 127.0.0.1:9009"
EXIT_STATUSES = "0 when it has been ended, 2 where it was called wrongly or cannot listen"

_DEFAULT_HOST, _DEFAULT_PORT = "127.0.0.1", 9009


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommand's arguments."""
    parser.add_argument(
        "--listen",
        metavar="[HOST]:PORT",
        type=_address,
        default=(_DEFAULT_HOST, _DEFAULT_PORT),
        help=f"where to listen, {_DEFAULT_HOST}:{_DEFAULT_PORT} if not given; port 0 takes a free one",
    )
    parser.add_argument("--once", metavar="N", type=_count, help="end after N accepted pushes of series")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each sample, and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Receive until interrupted, or until enough has come.

    Args:
        arguments: ``listen`` (host and port), ``once`` (pushes, or None) and ``json``.

    Returns:
        The exit status: 0, or 2 if it could not start.
    """
    try:
        return _receive(arguments)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        # Whoever reads our output has seen enough. Python still flushes at exit, which must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _receive(arguments: argparse.Namespace) -> int:
    try:
        from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver  # noqa: PLC0415 - it may be missing
    except ImportError as error:
        return _fail(f"it cannot run without protobuf and python-snappy: {error}")
    host, port = arguments.listen
    requests: SimpleQueue[Received | Rejected] = SimpleQueue()
    try:
        receiver = Receiver(host, port, keep=0, listener=requests.put)
    except OSError as error:
        return _fail(f"it cannot listen on {host} port {port}: {error.strerror or error}")
    with receiver:
        _say(f"OTEL_EXPORTER_PRW_ENDPOINT={receiver.url}")
        _show(requests, _display(receiver.url, json=arguments.json), arguments.once)
    return 0


def _display(url: str, *, json: bool) -> Display:
    from opentelemetry.exporter.prometheus_remote_write.receiver import display  # noqa: PLC0415 - as above

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # labels may hold what the terminal's encoding does not
    if json:
        return display.JsonDisplay(sys.stdout)
    if sys.stdout.isatty():
        return display.ScreenDisplay(sys.stdout, url, shutil.get_terminal_size)
    return display.PushDisplay(sys.stdout)


def _show(requests: SimpleQueue[Received | Rejected], display: Display, once: int | None) -> None:
    from opentelemetry.exporter.prometheus_remote_write.receiver import Rejected  # noqa: PLC0415 - as above

    accepted = 0
    display.refresh()
    while accepted != once:
        request = requests.get()
        if isinstance(request, Rejected):
            _say(f"rejected with {request.status}: {request.reason}")
            display.add(request)
        elif request.series:  # without, it is metadata of 1.0 or asks for the version: there is nothing to show
            accepted += 1
            display.add(request)
        if requests.empty() or accepted == once:
            display.refresh()


def _fail(message: str) -> int:
    _say(f"otel-prw receive: {message}")
    return 2


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


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
