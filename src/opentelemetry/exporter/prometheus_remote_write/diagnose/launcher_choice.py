"""Which distro, configurator and exporters the launcher will choose, and why (opentelemetry-instrumentation, _load.py).

A choice here never loads anything of somebody else's: a distro sets variables when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .finding import Finding, failure, ok, warning
from .installed import Plug, Plugs

NAME = "prometheus_remote_write"
"""Our name in every group of entry points."""

_DISTRO, _CONFIGURATOR = "OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR"
_EXPORTER = "OTEL_METRICS_EXPORTER"
_EXEMPLAR_FILTER = "OTEL_METRICS_EXEMPLAR_FILTER"
_EXEMPLAR_FILTERS = ("trace_based", "always_on", "always_off")
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
        after |= {name: NAME for name in (_EXPORTER, _CONFIGURATOR) if not environ.get(name, "").strip()}
    elif distro and distro.value.startswith(_STOCK):
        after = {**_OTLP_DEFAULTS, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", **environ}
    return Choice(distro, _chosen(plugs["opentelemetry_configurator"], after.get(_CONFIGURATOR)), after)


def findings(
    plugs: Plugs, environ: Mapping[str, str], names_of: Callable[[str], list[str]], *, has_file: bool
) -> Iterator[Finding]:
    """Tell what the launcher chooses, and what of that keeps metrics from being sent by Remote Write.

    Args:
        plugs: What is installed.
        environ: The environment of the program.
        names_of: How our configurator reads OTEL_METRICS_EXPORTER: a misspelled name of ours is taken for it.
        has_file: Whether a declarative file says what is exported.
    """
    chosen = choice(plugs, environ)
    if chosen.configurator and chosen.configurator.name == NAME:
        written = chosen.environ.get(_EXPORTER, "")
        yield from _misspelled(written, names_of(written))
        chosen = chosen._replace(environ={**chosen.environ, _EXPORTER: ",".join(names_of(written))})
    yield _distro(chosen, plugs["opentelemetry_distro"], environ, has_file=has_file)
    yield _configurator(chosen, plugs["opentelemetry_configurator"])
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield failure("sdk-disabled", "OTEL_SDK_DISABLED=true switches all of OpenTelemetry off", "unset it")
    if has_file:
        return
    if (text := environ.get(_EXEMPLAR_FILTER, "trace_based")) not in _EXEMPLAR_FILTERS:
        cure = f"set it to one of {', '.join(_EXEMPLAR_FILTERS)}, or unset it"
        yield failure("exemplar-filter", f"the SDK refuses {_EXEMPLAR_FILTER}={text!r}; {_ALL_IS_OFF}", cure)
    yield _metrics_exporter(chosen)
    for signal in ("METRICS", "TRACES", "LOGS"):
        yield from _missing(signal, chosen, plugs)


def _chosen(plugs: Sequence[Plug], name: str | None) -> Plug | None:
    return next((plug for plug in plugs if name is None or plug.name == name), None)


def _misspelled(written: str, read: Sequence[str]) -> Iterator[Finding]:
    for before, after in zip(written.split(","), read, strict=False):
        if after == NAME and before.strip() != NAME:
            text = f"{_EXPORTER}: {before.strip()!r} is taken for {NAME}, the name of this exporter"
            yield warning("exporter-misspelled", text, f"write {NAME}")


def _distro(choice: Choice, all_found: Sequence[Plug], environ: Mapping[str, str], *, has_file: bool) -> Finding:
    found = _listed(all_found)
    name = environ.get(_DISTRO)
    chosen = choice.distro
    if chosen is None:
        return failure(
            "distro-unknown", f"{_DISTRO}={name!r} is not installed, and no other is taken ({found})", _CHOOSE_OURS
        )
    why = f"{_DISTRO} names it" if name is not None else "it is the first that is found"
    text = f"{chosen}: {why} ({found})"
    if chosen.name == NAME:
        return ok("distro", text)
    if has_file or NAME in _names(choice.environ.get(_EXPORTER, "")):
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
    text = chosen.environ.get(_EXPORTER, "").strip()
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
