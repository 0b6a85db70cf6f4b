"""Which distro, configurator and exporters the launcher will choose, and why (opentelemetry-instrumentation, _load.py).

A choice here never loads anything of somebody else's: a distro sets variables when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .finding import Finding, failure, ok, warning
from .installed import Plug, Plugs

NAME = "prometheus_remote_write"
"""Our name in every group of entry points."""

_DISTRO, _CONFIGURATOR = "OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR"
_STOCK = "opentelemetry.distro:"
_OTLP_DEFAULTS = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_TRACES_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp"}
_OTLP_EXPORTERS = {"": "otlp_proto_grpc", "grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_CHOOSE_OURS = f"set {_DISTRO}={NAME}, or start the program by otel-prw run"
_ALL_IS_OFF = "the launcher then gives up: no metrics, no traces, no instrumentation"


class Choice(NamedTuple):
    """What the launcher chooses.

    Args:
        distro: None where it finds none of the name that is asked for, and so none at all.
        configurator: None as well.
        environ: The environment as the distro leaves it.
    """

    distro: Plug | None
    configurator: Plug | None
    environ: Mapping[str, str]


def choice(plugs: Plugs, environ: Mapping[str, str]) -> Choice:
    """Return what the launcher chooses.

    Args:
        plugs: What is installed.
        environ: The environment of the program.
    """
    distro = _chosen(plugs["opentelemetry_distro"], environ.get(_DISTRO))
    after = dict(environ)
    if distro and distro.name == NAME:
        after |= {name: NAME for name in ("OTEL_METRICS_EXPORTER", _CONFIGURATOR) if not environ.get(name, "").strip()}
    elif distro and distro.value.startswith(_STOCK):
        after = {**_OTLP_DEFAULTS, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", **environ}
    return Choice(distro, _chosen(plugs["opentelemetry_configurator"], after.get(_CONFIGURATOR)), after)


def findings(plugs: Plugs, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Tell what the launcher chooses, and what of that keeps metrics from being sent by Remote Write.

    Args:
        plugs: What is installed.
        environ: The environment of the program.
    """
    chosen = choice(plugs, environ)
    yield _distro(chosen.distro, plugs["opentelemetry_distro"], environ)
    yield _configurator(chosen, plugs["opentelemetry_configurator"])
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield failure("sdk-disabled", "OTEL_SDK_DISABLED=true switches all of OpenTelemetry off", "unset it")
    if environ.get("OTEL_CONFIG_FILE"):
        return  # which says itself what is exported
    yield _metrics_exporter(chosen)
    for signal in ("METRICS", "TRACES", "LOGS"):
        yield from _missing(signal, chosen, plugs)


def _chosen(plugs: Sequence[Plug], name: str | None) -> Plug | None:
    return next((plug for plug in plugs if name is None or plug.name == name), None)


def _distro(chosen: Plug | None, all_found: Sequence[Plug], environ: Mapping[str, str]) -> Finding:
    found = _listed(all_found)
    name = environ.get(_DISTRO)
    if chosen is None:
        return failure(
            "distro-unknown", f"{_DISTRO}={name!r} is not installed, and no other is taken ({found})", _CHOOSE_OURS
        )
    why = f"{_DISTRO} names it" if name is not None else "it is the first that is found"
    text = f"{chosen}: {why} ({found})"
    if chosen.name == NAME:
        return ok("distro", text)
    if environ.get("OTEL_CONFIG_FILE") or NAME in _names(environ.get("OTEL_METRICS_EXPORTER", "")):
        return ok("distro", f"{text}; the exporter is chosen all the same")
    return failure("distro-other", f"{text}, and it does not choose Remote Write", _CHOOSE_OURS)


def _configurator(chosen: Choice, all_found: Sequence[Plug]) -> Finding:
    found = _listed(all_found)
    name = chosen.environ.get(_CONFIGURATOR)
    plug = chosen.configurator
    if plug is None:
        text = f"{_CONFIGURATOR}={name!r} is not installed, and no other is taken ({found})"
        return failure("configurator-unknown", text, f"set {_CONFIGURATOR}={NAME}, or unset it")
    why = "it is named" if name is not None else "it is the first that is found"
    text = f"{plug}: {why} ({found})"
    if plug.name == NAME or plug.value.startswith(_STOCK):
        return ok("configurator", text)
    return warning("configurator-other", f"{text}; it may not build what is asked for", f"set {_CONFIGURATOR}={NAME}")


def _metrics_exporter(chosen: Choice) -> Finding:
    text = chosen.environ.get("OTEL_METRICS_EXPORTER", "").strip()
    names = _names(text)
    cure = f"set OTEL_METRICS_EXPORTER={NAME}; in a pod of the Operator in spec.python.env of the Instrumentation"
    if NAME not in names:
        shown = f"OTEL_METRICS_EXPORTER={text}" if text else "OTEL_METRICS_EXPORTER is not set, nor by the distro"
        return failure("exporter-other", f"{shown}: metrics do not go out by Remote Write", cure)
    if "none" in names:
        return failure("exporter-none", f"OTEL_METRICS_EXPORTER={text} names none beside another; {_ALL_IS_OFF}", cure)
    others = [name for name in names if name != NAME]
    return ok("exporter", NAME + (f", and {', '.join(others)} beside it" if others else ""))


def _missing(signal: str, chosen: Choice, plugs: Plugs) -> Iterator[Finding]:
    """What is named for a signal and not installed: it takes all signals down."""
    variable = f"OTEL_{signal}_EXPORTER"
    known = {plug.name for plug in plugs[f"opentelemetry_{signal.lower()}_exporter"]}
    named = _names(chosen.environ.get(variable, ""))
    for name in named if named != ["none"] else []:
        protocol = chosen.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "").strip()
        protocol = protocol or chosen.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip()
        needed = _OTLP_EXPORTERS.get(protocol, f"otlp for {protocol}") if name == "otlp" else name
        if needed in known or name in {NAME, "none"}:
            continue
        by = f" (set by the distro {chosen.distro})" if variable not in chosen.environ or not named else ""
        yield failure(
            "exporter-missing",
            f"{variable}={','.join(named)}{by}, but the exporter {needed} is not installed; {_ALL_IS_OFF}",
            f"set {variable}={NAME if signal == 'METRICS' else 'none'}, or install the exporter",
        )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _listed(plugs: Sequence[Plug]) -> str:
    return "found, in order: " + (", ".join(map(str, plugs)) or "none")
