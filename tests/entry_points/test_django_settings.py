"""The line that tells of Django's settings, in processes of their own that find a Django or none."""

from __future__ import annotations

import pytest

from tests.application import run

WARN = """
import os
from opentelemetry_prometheus_remote_write.django_settings import warn_without_django_settings
warn_without_django_settings(os.environ)
"""
DJANGO = ("django", "opentelemetry.instrumentation.django")


def said(tmp_path, *, installed=DJANGO, **variables):
    """What stderr says where empty modules of these names are installed."""
    parents = "import opentelemetry.instrumentation as parent\nparent.__path__ = [*parent.__path__, 'more']\n"
    more = tmp_path / "more"
    more.mkdir()
    for name in installed:
        folder = tmp_path if "." not in name else more
        (folder / f"{name.rpartition('.')[2]}.py").touch()
    absent = "" if "django" in installed else "import sys\nsys.modules['django'] = None\n"
    return run("python", "-c", absent + parents + WARN, cwd=tmp_path, **variables).errors


def test_missing_variable_is_one_line(tmp_path):
    (line,) = said(tmp_path)
    assert line.startswith("Django is installed and DJANGO_SETTINGS_MODULE is not set: ")


@pytest.mark.parametrize(
    ("installed", "variables"),
    [
        pytest.param(DJANGO, {"DJANGO_SETTINGS_MODULE": "shop.settings"}, id="it is set"),
        pytest.param(DJANGO[:1], {}, id="Django is not instrumented"),
        pytest.param(DJANGO[1:], {}, id="there is no Django"),
        pytest.param(
            DJANGO, {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask, django"}, id="its instrumentation is disabled"
        ),
        pytest.param(DJANGO, {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}, id="all of them are disabled"),
    ],
)
def test_nothing_is_said_where(tmp_path, installed, variables):
    assert said(tmp_path, installed=installed, **variables) == []
