"""What is published: the wheel, the source distribution that it is built from, and the editable install."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email.parser import HeaderParser
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
ROOTS = (CHECKOUT / "src", CHECKOUT / "entry_points")
LIBRARY = "opentelemetry.exporter.prometheus_remote_write"
PLUG = "opentelemetry_prometheus_remote_write"
ENTRY_POINTS = {
    "console_scripts": {"otel-prw": f"{PLUG}.command:main"},
    "opentelemetry_distro": {"prometheus_remote_write": f"{PLUG}.distro:PrometheusRemoteWriteDistro"},
    "opentelemetry_configurator": {"prometheus_remote_write": f"{PLUG}.configurator:PrometheusRemoteWriteConfigurator"},
    "opentelemetry_metrics_exporter": {
        "prometheus_remote_write": f"{LIBRARY}:PrometheusRemoteWriteMetricsExporter",
    },
    "opentelemetry_environment_variables": {"prometheus_remote_write": f"{LIBRARY}.environment_variables"},
    "gevent.plugins.monkey.will_patch_all": {"prometheus_remote_write": f"{PLUG}.gevent_plugin:will_patch_all"},
    "gevent.plugins.monkey.did_patch_all": {"prometheus_remote_write": f"{PLUG}.gevent_plugin:did_patch_all"},
}
LOAD_ALL = f"""
import json, {LIBRARY}
from importlib.metadata import entry_points
for group in {list(ENTRY_POINTS)}:
    ours = [each for each in entry_points(group=group) if each.dist.name.endswith("prometheus-remote-write")]
    assert [each.load() for each in ours], group
print(json.dumps([{LIBRARY}.__file__, {LIBRARY}.PrometheusRemoteWriteMetricsExporter.__name__]))
"""


def run(*command, **environment):
    # What is measured is the checkout, not a copy that is installed somewhere.
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=inherited | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The source distribution, and the wheel that was built from it: so nothing is missing in either."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def wheel(distributions):
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder into which pip has put the wheel alone; what it needs comes from the tests' environment."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), str(wheel))
    return folder


def read(wheel, name):
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [each for each in archive.namelist() if each.endswith(f".dist-info/{name}")]
        return archive.read(path).decode()


def entry_points(wheel):
    parser = ConfigParser(delimiters="=")
    parser.read_string(read(wheel, "entry_points.txt"))
    # A name that begins with an underscore is not for users to choose.
    return {
        group: {name: value for name, value in parser[group].items() if not name.startswith("_")}
        for group in parser.sections()
    }


def test_wheel_holds_both_packages_and_nothing_else(wheel):
    ours = {
        path.relative_to(root).as_posix()
        for root in ROOTS
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == ours


def test_wheel_leaves_the_folders_above_the_library_to_everybody(wheel):
    with zipfile.ZipFile(wheel) as archive:
        assert not {"opentelemetry/__init__.py", "opentelemetry/exporter/__init__.py"} & set(archive.namelist())


@pytest.mark.parametrize("package", [LIBRARY, PLUG])
def test_wheel_says_that_the_package_is_typed(wheel, package):
    with zipfile.ZipFile(wheel) as archive:
        assert f"{package.replace('.', '/')}/py.typed" in archive.namelist()


def test_wheel_has_the_entry_points_and_the_command(wheel):
    assert entry_points(wheel) == ENTRY_POINTS


def test_wheel_says_what_it_is_and_needs(wheel):
    metadata = HeaderParser().parsestr(read(wheel, "METADATA"))
    required = [need for need in metadata.get_all("Requires-Dist") if "extra ==" not in need]
    assert metadata["Name"] == "opentelemetry-exporter-prometheus-remote-write"
    assert metadata["Version"].startswith("1.0.0")
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert {re.match(r"[\w-]+", need)[0] for need in required} == {
        "opentelemetry-api",
        "opentelemetry-instrumentation",
        "opentelemetry-sdk",
        "protobuf",
        "python-snappy",
        "urllib3",
    }
    assert "distro" in metadata.get_all("Provides-Extra")


def test_wheel_carries_the_licence(wheel):
    assert read(wheel, "licenses/LICENSE") == (CHECKOUT / "LICENSE").read_text()


def test_source_distribution_can_be_worked_on(distributions):
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "Makefile",
        ".ci/run",
        ".ci/pythons",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/explanation/design.md",
        "examples/launcher/app.py",
        "tests/test_distribution.py",
        "LICENSE",
    } <= held


def test_installed_wheel_is_imported_and_every_entry_point_loads(installed):
    file, exporter = json.loads(run(sys.executable, "-c", LOAD_ALL, PYTHONPATH=str(installed)))
    assert Path(file).is_relative_to(installed)
    assert exporter == "PrometheusRemoteWriteMetricsExporter"


def test_installed_command_runs(installed):
    said = run(sys.executable, str(installed / "bin" / "otel-prw"), "--version", PYTHONPATH=str(installed))
    assert said.startswith("otel-prw 1.0.0")


def test_editable_install_has_the_same_entry_points_and_reads_the_checkout(tmp_path):
    build = f"import hatchling.build; print(hatchling.build.build_editable({str(tmp_path)!r}))"
    name = run(sys.executable, "-c", build).split()[-1]
    assert entry_points(tmp_path / name) == ENTRY_POINTS
    with zipfile.ZipFile(tmp_path / name) as archive:
        (path_file,) = [each for each in archive.namelist() if each.endswith(".pth")]
        folders = archive.read(path_file).decode().split()
    assert {Path(folder) for folder in folders} == set(ROOTS)
