"""Applications under the real launcher or injected by the Operator, and the strict receiver that they push to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import LAUNCHER, run
from tests.end_to_end import installations, interpreters, operator_webhook, workload
from tests.end_to_end.kubelet import Pod, environment
from tests.shared_folder import once

OPERATOR = installations.DOCKERFILE.parent
SHOP = Path(__file__).with_name("shop.py")


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def ours():
    """A folder with our package alone."""
    return once("ours", installations.package) / "installed"


@pytest.fixture
def plainly(ours, tmp_path):
    """Runs the shop where nothing else is installed than our package and what it needs."""

    def launch(*flags, before=(), after=(), **variables):
        folders = os.pathsep.join(map(str, (*before, ours, *after)))
        return run(
            *(LAUNCHER, *flags, "python", SHOP),
            cwd=tmp_path,
            python=installations.plain_python(ours),
            PYTHONPATH=folders,
            **variables,
        )

    return launch


@pytest.fixture
def fully(tmp_path):
    """Runs the shop, or a script, with our distro in the tests' environment, which has opentelemetry-distro, too."""

    def launch(source="", **variables):
        script = SHOP
        if source:
            script = tmp_path / "app.py"
            script.write_text(source)
        given = {
            "OTEL_PYTHON_DISTRO": "prometheus_remote_write",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "system_metrics",  # it has a hundred series of its own
            **variables,
        }
        return run(LAUNCHER, "python", script, cwd=tmp_path, **given)

    return launch


@pytest.fixture(scope="session")
def image():
    """The folder /autoinstrumentation of the image; beside the tests' own, which other users cannot enter."""

    def build(folder):
        (mode,) = re.findall(r"^RUN chmod -R (\S+) ", installations.DOCKERFILE.read_text(), re.MULTILINE)
        subprocess.run(["chmod", "-R", mode, installations.injected(folder)], check=True)

    return once("image", build) / "autoinstrumentation"


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """An application's interpreter, of the version that the folder was built with."""
    return interpreters.virtual_environment(Path(sys.executable), tmp_path_factory.mktemp("app"))


@pytest.fixture
def injected(image, receiver):
    """Gives the environment of the injected container.

    env is its own; pushing is whether the example configures it, has_token whether the receiver asks for one.
    """

    def variables(*, folder=image, pushing=True, has_token=True, url=receiver.url, **env):
        secret, instrumentation = yaml.safe_load_all((OPERATOR / "instrumentation.yaml").read_text())
        (deployment,) = yaml.safe_load_all((OPERATOR / "deployment.yaml").read_text())
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        container["env"] = [{"name": name, "value": text} for name, text in env.items()]
        (endpoint,) = (
            each for each in instrumentation["spec"]["python"]["env"] if each["name"] == "OTEL_EXPORTER_PRW_ENDPOINT"
        )
        endpoint["value"] = url
        if not pushing:
            instrumentation["spec"]["python"]["env"] = []
        if not has_token:  # the README has them deleted: the variable, and the Secret
            given = instrumentation["spec"]["python"]["env"]
            given[:] = (each for each in given if each["name"] != "OTEL_EXPORTER_PRW_BEARER_TOKEN")
        container = workload.injected(deployment, instrumentation, "berlin")
        found = environment(container, [secret] if has_token else [], Pod())
        return {**found, "PYTHONPATH": found["PYTHONPATH"].replace(operator_webhook.FOLDER, str(folder))}

    return variables
