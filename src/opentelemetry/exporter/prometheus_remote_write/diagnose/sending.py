"""What the exporter would do here: its configuration, the path to its receiver, and the receiver's answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..configuration.settings import Settings
from ..encoding.compression import compressor
from ..model.transport import Response
from ..translation.target import Target
from ..transport.deadline import deadline
from ..transport.pool import Transport
from ..version import USER_AGENT
from . import configuration, declarative_file, target_identity
from .finding import Finding, Level
from .network_path import NetworkPath
from .receiver_probe import Probe


def findings(
    environ: Mapping[str, str], limit: Callable[[float], float], *, send: bool
) -> Iterator[tuple[str, Finding]]:
    """Yield the findings from the settings to the receiver, each with its section; stop where nothing would be sent.

    Args:
        environ: The environment that the application would have.
        limit: Called with the setting TIMEOUT in seconds; returns the deadline, by ``time.monotonic``.
        send: Whether to send a test series.
    """
    declared = None
    if declarative_file.reads_a_file(environ):
        path = environ["OTEL_CONFIG_FILE"]
        try:
            declared = declarative_file.declared(path)
        except declarative_file.Unusable as error:
            yield "configuration", error.finding
            return
        yield "configuration", declarative_file.used(path)
    else:
        for finding in declarative_file.ignored(environ):
            yield "configuration", finding
    try:
        given = configuration.configuration(declared.keywords if declared else {}, environ)
    except (ValueError, TypeError) as error:
        yield "configuration", configuration.wrong_keyword(error)
        return
    end = limit(given.settings.timeout)
    is_sound = True
    for finding in configuration.findings(given, environ):
        is_sound = is_sound and finding.level is not Level.FAILURE
        yield "configuration", finding
    attributes = target_identity.identified(_attributes(declared), given.settings)
    target = target_identity.target_of(attributes, given.settings)
    for finding in target_identity.findings(target, attributes, given.settings, environ):
        yield "configuration", finding
    if is_sound:
        yield from _network(given.settings, target, environ, end, send=send)


def _attributes(declared: declarative_file.DeclaredExporter | None) -> Mapping[str, Any]:
    return target_identity.resource_attributes(declared.resource if declared else None, is_declared=bool(declared))


def _network(
    settings: Settings, target: Target, environ: Mapping[str, str], end: float, *, send: bool
) -> Iterator[tuple[str, Finding]]:
    path = NetworkPath(settings, environ)
    with deadline(end - time.monotonic()):
        for finding in path.findings():
            yield "network", finding
            if finding.level is Level.FAILURE:
                return
    transport = Transport(settings, environ=environ, user_agent=f"{USER_AGENT} otel-prw-check/{os.getpid()}")

    def post(body: bytes, headers: Mapping[str, str]) -> Response:
        return transport.post(body, headers, end - time.monotonic())

    labels = {**settings.external_labels, **target.promoted, **target.labels}
    probe = Probe(post, settings, compressor(), has_proxy=path.has_proxy)
    try:
        for finding in probe.findings(labels if send else None):
            yield "receiver", finding
    finally:
        transport.close()
