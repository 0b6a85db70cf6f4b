"""Which distro, configurator and exporters the launcher will choose, and why (opentelemetry-instrumentation, _load.py).

Nothing here loads an entry point of another package: a distro sets variables when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .finding import Finding, failure, ok, warning
from .installed import Plug, Plugs

NAME = "prometheus_remote_write"
"""Our name in every entry-point group."""

_DISTRO, _CONFIGURATOR = "OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR"
_EXPORTER = "OTEL_METRICS_EXPORTER"
_EXEMPLAR_FILTER = "OTEL_METRICS_EXEMPLAR_FILTER"
_EXEMPLAR_FILTERS = ("trace_based", "always_on", "always_off")
_STOCK = "opentelemetry.distro:"
_VARIABLES = {_EXPORTER: "METRICS", "OTEL_TRACES_EXPORTER": "TRACES", "OTEL_LOGS_EXPORTER": "LOGS"}
_OTLP_EXPORTERS = {"": "otlp_proto_grpc", "grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_CHOOSE_OURS = f"set {_DISTRO}={NAME}, or start the program by otel-prw run"
_ALL_IS_OFF = "the launcher then gives up: no metrics, no traces, no instrumentation"


class Choice(NamedTuple):
    """What the launcher chooses.

    Args:
        distro: None if none has the requested name, and so none is used.
        configurator: The same.
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
        after = {**dict.fromkeys(_VARIABLES, "otlp"), "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", **environ}
    return Choice(distro, _chosen(plugs["opentelemetry_configurator"], after.get(_CONFIGURATOR)), after)


def findings(
    plugs: Plugs, environ: Mapping[str, str], names_of: Callable[[str], list[str]], *, has_file: bool
) -> Iterator[Finding]:
    """Yield findings: what the launcher chooses, and which choice keeps metrics from being sent by Remote Write.

    Args:
        plugs: What is installed.
        environ: The environment of the program.
        names_of: How our configurator reads OTEL_METRICS_EXPORTER: it corrects a misspelled name of ours.
        has_file: Whether a declarative file says what is exported.
    """
    chosen = choice(plugs, environ)
    if chosen.configurator and chosen.configurator.name == NAME:
        written = chosen.environ.get(_EXPORTER, "")
        yield from _misspelled(written, names_of(written))
        chosen = chosen._replace(environ={**chosen.environ, _EXPORTER: ",".join(names_of(written))})
    distro = _distro(chosen, plugs, environ, has_file=has_file)
    yield distro
    yield _configurator(chosen, plugs["opentelemetry_configurator"])
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield failure("sdk-disabled", "OTEL_SDK_DISABLED=true switches all of OpenTelemetry off", "unset it")
    if has_file:
        return
    if (text := environ.get(_EXEMPLAR_FILTER, "trace_based")) not in _EXEMPLAR_FILTERS:
        cure = f"set it to one of {', '.join(_EXEMPLAR_FILTERS)}, or unset it"
        yield failure("exemplar-filter", f"the SDK refuses {_EXEMPLAR_FILTER}={text!r}; {_ALL_IS_OFF}", cure)
    # The consequences of a wrong distro were reported with it.
    told = set(_VARIABLES) - set(environ) if distro.cure else set()
    if _EXPORTER not in told:
        yield _metrics_exporter(chosen, plugs)
    for variable in _VARIABLES:
        if variable not in told and (variable != _EXPORTER or NAME in _names(chosen.environ.get(_EXPORTER, ""))):
            yield from _missing(variable, chosen, plugs, environ)


def _chosen(plugs: Sequence[Plug], name: str | None) -> Plug | None:
    return next((plug for plug in plugs if name is None or plug.name == name), None)


def _misspelled(written: str, read: Sequence[str]) -> Iterator[Finding]:
    for before, after in zip(written.split(","), read, strict=False):
        if after == NAME and before.strip() != NAME:
            text = f"{_EXPORTER}: {before.strip()!r} is taken for {NAME}, the name of this exporter"
            yield warning("exporter-misspelled", text, f"write {NAME}")


def _distro(chosen: Choice, plugs: Plugs, environ: Mapping[str, str], *, has_file: bool) -> Finding:
    found = _listed(plugs["opentelemetry_distro"])
    name, distro = environ.get(_DISTRO), chosen.distro
    if distro is None:
        text = f"{_DISTRO}={name!r} is not installed, and no other is used ({found})"
        return failure("distro-unknown", text, _CHOOSE_OURS)
    why = f"{_DISTRO} names it" if name is not None else "it is the first that is found"
    text = f"{distro}: {why} ({found})"
    if distro.name == NAME:
        return ok("distro", text)
    if has_file or NAME in _names(chosen.environ.get(_EXPORTER, "")):
        return ok("distro", f"{text}; the exporter is chosen anyway")
    missing = {
        needed for variable in _VARIABLES if variable not in environ for needed in _needed(variable, chosen, plugs)
    }
    consequence = f"; it asks for {', '.join(sorted(missing))}, not installed: {_ALL_IS_OFF}" if missing else ""
    return failure("distro-other", f"{text}, and it does not choose Remote Write{consequence}", _CHOOSE_OURS)


def _configurator(chosen: Choice, all_found: Sequence[Plug]) -> Finding:
    found = _listed(all_found)
    name = chosen.environ.get(_CONFIGURATOR)
    plug = chosen.configurator
    if plug is None:
        text = f"{_CONFIGURATOR}={name!r} is not installed, and no other is used ({found})"
        return failure("configurator-unknown", text, f"set {_CONFIGURATOR}={NAME}, or unset it")
    why = "it is named" if name is not None else "it is the first that is found"
    text = f"{plug}: {why} ({found})"
    if plug.name == NAME or plug.value.startswith(_STOCK):
        return ok("configurator", text)
    return warning("configurator-other", f"{text}; it may not build what you asked for", f"set {_CONFIGURATOR}={NAME}")


def _metrics_exporter(chosen: Choice, plugs: Plugs) -> Finding:
    text = chosen.environ.get(_EXPORTER, "").strip()
    names = _names(text)
    where = "in a pod injected by the Operator, in spec.python.env of the Instrumentation (envFrom loses)"
    cure = f"set {_EXPORTER}={NAME}; {where}"
    if NAME not in names:
        shown = f"{_EXPORTER}={text}" if text else f"{_EXPORTER} is not set, not even by the distro"
        missing = _needed(_EXPORTER, chosen, plugs)
        consequence = f", and {', '.join(missing)} is not installed: {_ALL_IS_OFF}" if missing else ""
        return failure("exporter-other", f"{shown}: metrics do not go out by Remote Write{consequence}", cure)
    if "none" in names:
        return failure("exporter-none", f"{_EXPORTER}={text} combines none with another exporter; {_ALL_IS_OFF}", cure)
    others = [name for name in names if name != NAME]
    return ok("exporter", NAME + (f", and {', '.join(others)} beside it" if others else ""))


def _missing(variable: str, chosen: Choice, plugs: Plugs, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield exporters that are named for a signal but not installed: they take all signals down."""
    by = "" if variable in environ else f" (set by the distro {chosen.distro})"
    for needed in _needed(variable, chosen, plugs):
        text = (
            f"{variable}={chosen.environ.get(variable)}{by}, but the exporter {needed} is not installed; {_ALL_IS_OFF}"
        )
        cure = f"set {variable}={NAME if variable == _EXPORTER else 'none'}, or install the exporter"
        yield failure("exporter-missing", text, cure)


def _needed(variable: str, chosen: Choice, plugs: Plugs) -> list[str]:
    """Return the exporters that a variable names and that are not installed."""
    signal = _VARIABLES[variable]
    known = {plug.name for plug in plugs[f"opentelemetry_{signal.lower()}_exporter"]} | {NAME, "none"}
    protocol = chosen.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "").strip()
    protocol = protocol or chosen.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip()
    otlp = _OTLP_EXPORTERS.get(protocol, f"otlp for {protocol}")
    needed = [otlp if name == "otlp" else name for name in _names(chosen.environ.get(variable, ""))]
    return [name for name in needed if name not in known]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _listed(plugs: Sequence[Plug]) -> str:
    return "found, in order: " + (", ".join(map(str, plugs)) or "none")
