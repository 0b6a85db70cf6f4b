"""The CronJobs are what Kubernetes accepts, and a container of theirs pushes what it should."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run
from tests.end_to_end import workload
from tests.end_to_end.kubelet import Pod, environment
from tests.end_to_end.operator_webhook import PATH

KUBERNETES = Path(__file__).resolve().parents[2] / "examples" / "kubernetes"
IMPORT = "from opentelemetry import metrics; metrics.get_meter('import').create_counter('records').add(3)\n"


def cron_job(name):
    return yaml.safe_load((KUBERNETES / "jobs" / name).read_text())


def template(job):
    return job["spec"]["jobTemplate"]["spec"]["template"]


@pytest.mark.parametrize("name", ["cronjob.yaml", "cronjob-injected.yaml"])
def test_kubernetes_accepts_it(name):
    kubernetes_validate.validate(cron_job(name), kubernetes_validate.latest_version(), strict=True)


def test_wrapped_command_pushes_how_the_job_ended_and_what_it_measured(tmp_path):
    (container,) = template(cron_job("cronjob.yaml"))["spec"]["containers"]
    variables = environment(container, [], Pod())
    assert variables["OTEL_EXPORTER_PRW_ENDPOINT"]
    (tmp_path / "import.py").write_text(IMPORT)
    with Receiver() as receiver:
        here = {**variables, "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
        ended = run(*container["command"], cwd=tmp_path, **here)
        assert (ended.status, ended.errors) == (0, [])
        assert receiver.values("job_last_exit_code", job="nightly-import") == [0]
        assert receiver.values("records_total", job="nightly-import")[-1] == 3
        assert receiver.rejected == []


def test_injected_job_pushes_once_at_its_end_under_the_same_instance_run_after_run(tmp_path):
    secret, instrumentation = yaml.safe_load_all((KUBERNETES / "operator" / "instrumentation.yaml").read_text())
    job = cron_job("cronjob-injected.yaml")
    annotations = template(job)["metadata"]["annotations"]
    assert annotations["instrumentation.opentelemetry.io/inject-python"] == instrumentation["metadata"]["name"]
    container = workload.injected(job, instrumentation, "berlin")
    folder = Path(find_spec("opentelemetry.instrumentation.auto_instrumentation").origin).parent
    (tmp_path / "import.py").write_text(IMPORT)
    with Receiver() as receiver:
        for pod in ("nightly-import-1-x7k2p", "nightly-import-2-b4d9q"):
            variables = environment(container, [secret], Pod(name=pod))
            assert variables["OTEL_EXPORTER_PRW_INTERVAL"] == "0"
            path = variables["PYTHONPATH"].replace(PATH[0], str(folder)).replace(PATH[1], "")
            here = {**variables, "PYTHONPATH": path.strip(os.pathsep), "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url}
            here["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = "system_metrics"
            ended = run(Path(sys.executable).name, *container["command"][1:], cwd=tmp_path, **here)
            assert (ended.status, ended.errors) == (0, [])
        (series,) = receiver.series("records_total")
        assert [series.label("job"), series.label("instance")] == ["berlin/nightly-import", "nightly-import"]
        assert [sample.value for sample in series.samples] == [0, 3, 0, 3]
        assert receiver.rejected == []
