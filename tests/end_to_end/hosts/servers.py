"""Servers of web applications."""

from __future__ import annotations

import signal

from tests.end_to_end.hosts.host import (
    GEVENT_UNDONE,
    SERVES,
    STARTS_PROGRAMS,
    Arrive,
    End,
    Host,
    Requests,
    Settle,
    Signal,
)

_GUNICORN = ("gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--no-control-socket")
_LISTENS = r"Listening at: (http://\S+)"
_BOOTED = r"(?s)Booting worker.*Booting worker"
_UVICORN_WORKER = ("--worker-class", "uvicorn.workers.UvicornWorker")
_UVICORN = r"running on (http://\S+)"
_PATCH = {"OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH": "patch_all"}
_UNPINNED = {"OTEL_RESOURCE_ATTRIBUTES": ""}
_FLASK = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "system_metrics"}


def _gunicorn(kind: str, *flags: str, application: str = "web:wsgi", **more: object) -> Host:
    given: dict = {"steps": SERVES, "ready": _LISTENS, "workers": 2, "instances": 3, **more}
    return Host("gunicorn", kind, (*_GUNICORN, *flags, application), **given)


_PATCH_FIRST = f"`{next(iter(_PATCH))}=patch_all`, for what is done before the workers begin"
_GEVENT = {"application": "green:wsgi", "needs": ("gevent",), "noise": (GEVENT_UNDONE,)}
_ALL_ARE_BACK = Settle(leaves="Autorestarting worker", comes=r"\(loaded\)")
_RECYCLES = (Requests(), Arrive(), Requests(), _ALL_ARE_BACK, End())

HOSTS = [
    _gunicorn("sync"),
    _gunicorn("sync, `--preload`", "--preload"),
    _gunicorn("sync, `--preload`", "--preload", variables=_UNPINNED),
    _gunicorn("gthread", "--worker-class", "gthread", "--threads", "4"),
    _gunicorn("gthread, `--preload`", "--worker-class", "gthread", "--threads", "4", "--preload"),
    _gunicorn("gevent", "--worker-class", "gevent", **_GEVENT),
    _gunicorn("gevent", "--worker-class", "gevent", variables=_PATCH, **_GEVENT),
    _gunicorn(
        *("gevent, `--preload`", "--worker-class", "gevent", "--preload"),
        variables=_PATCH,
        since=58,  # which knows the variable
        to_set=_PATCH_FIRST,
        **_GEVENT,
    ),
    _gunicorn("UvicornWorker", *_UVICORN_WORKER, application="web:asgi"),
    _gunicorn("UvicornWorker, `--preload`", *_UVICORN_WORKER, "--preload", application="web:asgi"),
    _gunicorn(
        "sync, `--max-requests`",
        *("--max-requests", "5", "--max-requests-jitter", "2"),
        steps=_RECYCLES,
        delay=0.1,  # so that workers end and begin while exports are under way
    ),
    _gunicorn(
        "gevent, `--max-requests`",
        *("--worker-class", "gevent", "--max-requests", "5"),
        steps=_RECYCLES,
        variables=_PATCH,
        **_GEVENT,
    ),
    _gunicorn(
        "sync, reloaded by SIGHUP",
        steps=(Requests(), Arrive(), Signal(signal.SIGHUP, _BOOTED), Requests(), Arrive(), Requests(), End()),
        instances=5,
    ),
]
_STARTED = r"(?s)running on (http://\S+).*startup complete.*startup complete"


def _server(name: str, kind: str, *command: str, **more: object) -> Host:
    given: dict = {"steps": SERVES, **more}
    return Host(name, kind, command, **given)


HOSTS += [
    _server("uvicorn", "", "uvicorn", "--port", "0", "web:asgi", ready=_UVICORN, status=None),
    _server(
        "uvicorn",
        "`--workers 2`",
        *("uvicorn", "--port", "0", "--workers", "2", "web:asgi"),
        ready=_STARTED,
        workers=2,
        instances=5,  # the processes that start the workers have measured nothing, but tell that they live
        since=STARTS_PROGRAMS,
        status=None,
    ),
    _server(
        "uvicorn",
        "`--reload`",
        *("uvicorn", "--port", "0", "--reload", "web:asgi"),
        ready=_UVICORN,
        instances=4,
        since=STARTS_PROGRAMS,
        status=None,
    ),
    _server(
        "hypercorn",
        "`--workers 2`",
        *("hypercorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "web:asgi"),
        ready=r"(?s)Running on (http://\S+).*Running on",
        workers=2,
        instances=4,
        since=STARTS_PROGRAMS,
    ),
    _server(
        "hypercorn",
        "`--workers 0`",
        "hypercorn",
        "--bind",
        "127.0.0.1:{port}",
        "--workers",
        "0",
        "web:asgi",
        ready=r"Running on (http://\S+)",
    ),
    _server(
        "granian",
        "ASGI, `--workers 2`",
        *("granian", "--port", "{port}", "--interface", "asgi", "--workers", "2", "web:asgi"),
        ready=r"Listening at: (http://\S+)",
        needs=("granian",),
        instances=4,
    ),
    _server(
        "granian",
        "WSGI",
        *("granian", "--port", "{port}", "--interface", "wsgi", "web:wsgi"),
        ready=r"Listening at: (http://\S+)",
        needs=("granian",),
        instances=3,
    ),
    _server(
        "waitress",
        "",
        "waitress-serve",
        "--listen",
        "127.0.0.1:{port}",
        "web:wsgi",
        ready=r"Serving on (http://\S+)",
        status=None,
    ),
    _server(
        "Flask's server",
        "",
        "flask",
        "--app",
        "flask_app",
        "run",
        "--port",
        "{port}",
        ready=r"Running on (http://\S+)",
        status=None,
        variables=_FLASK,
    ),
    _server(
        "Flask's server",
        "`--debug`, which reloads",
        "flask",
        "--app",
        "flask_app",
        "--debug",
        "run",
        "--port",
        "{port}",
        ready=r"(?s)Running on (http://\S+).*Debugger PIN",
        status=None,
        variables=_FLASK,
        instances=3,
        since=STARTS_PROGRAMS,
        tells_last=False,
        because="its reloader kills the process that serves",
        to_set="`--no-reload`, for the last interval",
    ),
    _server(
        "Django's runserver",
        "`--noreload`",
        *("python", "-m", "django", "runserver", "127.0.0.1:{port}", "--noreload"),
        ready=r"development server at (http://\S+)",
        variables={"DJANGO_SETTINGS_MODULE": "django_app", "PYTHONUNBUFFERED": "1"},
        status=None,
    ),
    _server(
        "Django's runserver",
        "reloading",
        *("python", "-m", "django", "runserver", "127.0.0.1:{port}"),
        ready=r"development server at (http://\S+)",
        variables={"DJANGO_SETTINGS_MODULE": "django_app", "PYTHONUNBUFFERED": "1"},
        instances=3,
        since=STARTS_PROGRAMS,
        status=None,
        tells_last=False,
        because="its reloader kills the process that serves",
        to_set="`--noreload`, for the last interval",
    ),
]

_UWSGI = ("--master", "--processes", "2", "--http-socket", "127.0.0.1:{port}", "--die-on-term", "--module", "web:wsgi")


def _uwsgi(kind: str, *flags: str, program: tuple[str, ...] = ("{uwsgi}", "--home", "{home}"), **more: object) -> Host:
    given: dict = {
        "name": "uWSGI",
        "ready": r"bound to TCP address (\S+) ",
        "needs": ("uwsgi",),
        "lingers": 10,  # its master looks for workers that have ended now and then, the later the busier the machine is
        "workers": 2,
        "instances": 3,
        **more,
    }
    return _server(given.pop("name"), f"`--master`{kind}", *program, *_UWSGI, *flags, **given)


# Without the option the exporter does what it would do, and asks for it.
_ASKS = {
    "noise": (r"Metrics of uWSGI's workers may be late or lost: set py-call-uwsgi-fork-hooks.*",),
    "to_set": "`die-on-term`; a warning asks for `py-call-uwsgi-fork-hooks`",
}
HOSTS += [
    _uwsgi("", **_ASKS),
    _uwsgi(", `--lazy-apps`", "--lazy-apps", **_ASKS),
    _uwsgi(", `--py-call-uwsgi-fork-hooks`", "--py-call-uwsgi-fork-hooks", to_set="`die-on-term`"),
    _uwsgi(", `--threads 2`", "--threads", "2", **_ASKS),
    _uwsgi(", `--ugreen`, `--async 10`", "--ugreen", "--async", "10", **_ASKS),
    _uwsgi(", `--gevent 10`", "--gevent", "10", **{**_ASKS, "needs": ("uwsgi", "gevent")}),
    _uwsgi(
        ", `--gevent 10`, `--gevent-monkey-patch`",
        *("--gevent", "10", "--gevent-monkey-patch"),
        **{**_ASKS, "needs": ("uwsgi", "gevent")},
    ),
    _uwsgi(
        "",
        *("--enable-threads", "--py-call-osafterfork"),
        name="pyuwsgi",
        program=("python", "{uwsgi}"),
        needs=("pyuwsgi",),
        to_set="`die-on-term`, `enable-threads`, `py-call-osafterfork`",
    ),
]
