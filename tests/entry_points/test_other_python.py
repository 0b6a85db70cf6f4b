"""Whether the Python of a program has this package, which files alone tell."""

from __future__ import annotations

import os
import sys

import pytest
from opentelemetry_prometheus_remote_write.other_python import lacks_this_package

from tests.application import run

DIST_INFO = "opentelemetry_exporter_prometheus_remote_write-1.0.dist-info"


@pytest.fixture
def interpreter(tmp_path, monkeypatch):
    """interpreter(name, files): the path of an interpreter that has these files."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def make(name="python3.12", *folders, begins=b"\x7fELF", settings=""):
        prefix = tmp_path / "other"
        (prefix / "bin").mkdir(parents=True)
        program = prefix / "bin" / name
        program.write_bytes(begins)
        program.chmod(0o755)
        (prefix / "pyvenv.cfg").write_text(settings)
        for folder in folders:
            (prefix / folder).mkdir(parents=True)
        return program

    return make


@pytest.mark.parametrize("name", ["python", "python3", "python3.13t"])
def test_interpreter_without_the_package_lacks_it(interpreter, name):
    assert lacks_this_package(str(interpreter(name, "lib/python3.13/site-packages/other")), {})


@pytest.mark.parametrize(
    "place", ["lib/python3.12/site-packages", "lib/python3/dist-packages", "../home/.local/lib/python3.9/site-packages"]
)
def test_interpreter_with_the_package_does_not(interpreter, place):
    assert not lacks_this_package(str(interpreter("python3", f"{place}/{DIST_INFO}")), {})


def test_package_may_come_by_pythonpath(interpreter, tmp_path):
    program = str(interpreter("python3", "injected/opentelemetry_prometheus_remote_write"))
    folder = str(tmp_path / "other" / "injected")
    assert not lacks_this_package(program, {"PYTHONPATH": os.pathsep.join(["/nowhere", folder])})


@pytest.mark.parametrize(
    "doubt",
    [
        {"begins": b"#!/bin/sh\n"},
        {"settings": "home = /usr/bin\ninclude-system-site-packages = true\n"},
        {"name": "gunicorn"},
    ],
    ids=["a script", "packages of the system", "another program"],
)
def test_doubt_is_no_lack(interpreter, doubt):
    assert not lacks_this_package(str(interpreter(**doubt)), {})


def test_our_own_interpreter_has_it():
    assert not lacks_this_package(sys.executable, {})
    assert not lacks_this_package("/nowhere/python3", {})


@pytest.mark.parametrize("command", ["run", "job"])
def test_user_is_told_before_the_program_runs(interpreter, tmp_path, command):
    program = interpreter("python3", begins=b"")
    program.unlink()
    program.symlink_to("/bin/true")
    ended = run("otel-prw", command, "--", program, cwd=tmp_path, HOME=str(tmp_path / "home"))
    assert ended.status == 0
    said = ended.errors[0]
    assert said.startswith(f"otel-prw {command}: {program} seems to lack this package, and then pushes nothing: ")
    assert sys.executable in said
