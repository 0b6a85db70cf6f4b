"""How applications of each framework are started: the rows of docs/how-to/launcher.md, which tests run."""

from __future__ import annotations

from typing import NamedTuple


class Framework(NamedTuple):
    """A command, in which PORT stands for a port, and what it needs beside what the Operator's example sets.

    Args:
        name: Of the framework and of what serves it.
        command: How its users start it.
        variables: What it needs, of the container's own.
        tells_last: Whether the interval in which it is ended arrives.
    """

    name: str
    command: str
    variables: dict[str, str]
    tells_last: bool = True


# Django's settings have to be found before the application runs, which in an injected pod only PYTHONPATH can do.
SETTINGS = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": "."}
RUNSERVER = "python -m django runserver 127.0.0.1:PORT"

FLASK = Framework("Flask under gunicorn", "gunicorn --bind 127.0.0.1:PORT --no-control-socket app:app", {})
FASTAPI = Framework("FastAPI under uvicorn", "uvicorn --port PORT app:app", {})
DJANGO = Framework("Django's runserver", f"{RUNSERVER} --noreload", SETTINGS)
RELOADING = Framework("Django's runserver, reloading", RUNSERVER, SETTINGS, tells_last=False)
CELERY = Framework("a Celery worker", "celery --app tasks worker --pool prefork --concurrency 2", {})
SCRIPT = Framework("a plain script", "python app.py", {})
NOTEBOOK = Framework("a notebook's kernel", "jupyter_client.manager.start_new_kernel()", {})

FRAMEWORKS = [FLASK, FASTAPI, DJANGO, RELOADING, CELERY, SCRIPT, NOTEBOOK]


def rows() -> list[str]:
    """The rows of the table."""
    return [
        f"| {each.name} | `{each.command}` | {', '.join(f'`{name}`' for name in each.variables) or 'nothing'} | "
        f"{'arrives' if each.tells_last else '**does not arrive**: Django kills the process that serves'} |"
        for each in FRAMEWORKS
    ]
