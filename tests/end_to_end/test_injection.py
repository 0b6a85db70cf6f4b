"""What the Operator does to a pod, without a cluster: the folder of the image, its environment, somebody's application.

The folder holds what the example's Dockerfile installs. The environment is made of the example's manifests as the
Operator and kubelet make it. The application's virtual environment has none of our packages, and its process no HOME.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
import urllib3
import yaml

from examples.launcher.shop import APPLICATION
from tests.application import AMPLE, run, wait_until_it_serves
from tests.end_to_end import installations, read_only
from tests.end_to_end.conftest import OPERATOR, SHOP
from tests.end_to_end.injected_shop import INSTANCE, assert_shop_arrived
from tests.end_to_end.installations import instruments_children
from tests.servers.ports import free_port


@pytest.fixture
def visit_deployment(image, injected, tmp_path):
    """visit_deployment(**injected's): run the example's Deployment, request a page three times, end it by SIGTERM.

    Its init container copies the folder; its image has Flask in an environment of its own. It returns what stderr said.
    """

    def visit(**settings):
        folder = tmp_path / "otel-auto-instrumentation-python"
        subprocess.run(["cp", "-r", f"{image}/.", folder], check=True)  # the command of the init container
        shutil.copy(APPLICATION, tmp_path)
        (deployment,) = yaml.safe_load_all((OPERATOR / "deployment.yaml").read_text())
        program, *arguments = deployment["spec"]["template"]["spec"]["containers"][0]["command"]
        port = free_port()
        here = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
        python = installations.python_with("flask >= 3")
        with subprocess.Popen(
            [python.with_name(program), *(here.get(argument, argument) for argument in arguments)],
            cwd=tmp_path,
            env={"PATH": os.defpath, **AMPLE, **injected(folder=folder, **settings)},
            stderr=subprocess.PIPE,
            text=True,
        ) as shop:
            wait_until_it_serves(shop, port)
            with urllib3.PoolManager(retries=False) as http:
                for _ in range(3):
                    assert http.request("GET", f"http://127.0.0.1:{port}/products/7").status == 200
            shop.terminate()
            errors = shop.communicate(timeout=60)[1]
        assert shop.returncode == -15
        return errors

    return visit


def test_application_that_knows_nothing_of_metrics_is_counted(visit_deployment, receiver):
    assert "opentelemetry" not in visit_deployment().lower()
    assert receiver.rejected == []
    assert receiver.values(
        "http_server_request_duration_seconds_count", job="berlin/shop", instance=INSTANCE, k8s_node_name="node-1"
    )[-1:] == [3]


def test_prometheus_answers_the_queries_of_the_example(visit_deployment, start_prometheus):
    """The end of the path that its README describes; every step of it that needs a cluster is a model."""
    (queries,) = re.findall(r"```promql\n(.*?)```", (OPERATOR.parent / "README.md").read_text(), re.DOTALL)
    prometheus = start_prometheus()
    assert "opentelemetry" not in visit_deployment(url=prometheus.write_url, has_token=False).lower()
    answers = [prometheus.query(promql.strip()) for promql in queries.splitlines() if promql.strip()]
    assert [len(samples) for samples in answers] == [1, 1, 1]
    assert answers[1][0].value == 3


def test_folder_that_was_built_with_the_same_python_pushes_compressed(plain, injected, receiver, tmp_path):
    assert run("python", SHOP, cwd=tmp_path, python=plain, **injected()) == (0, "without flask\n", [])
    assert_shop_arrived(receiver)


COUNTS_WITH_ITS_CHILDREN = """
import os, subprocess, sys, warnings
from opentelemetry import metrics
warnings.simplefilter('ignore', DeprecationWarning)  # from 3.12 on, of a fork beside threads
orders = metrics.get_meter('shop').create_counter('orders')
flush = metrics.get_meter_provider().force_flush
if sys.argv[1:]:
    orders.add(int(sys.argv[1]))
    flush()
    print('flushed', flush=True)
    sys.stdin.read()
    sys.exit()
orders.add(1)
flush()
spawned = subprocess.Popen([sys.executable, __file__, '2'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
spawned.stdout.readline()
if not (child := os.fork()):
    orders.add(3)
    flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
spawned.communicate()
assert spawned.returncode == 0
print(os.getpid(), spawned.pid, child)
for folder in ('/tmp', '/dev/shm', '.', sys.path[1]):
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except OSError as error:
        print(error.strerror)
"""


def orders(receiver):
    """What each process has counted last, by its instance."""
    assert receiver.rejected == []
    return {
        series.label("instance"): series.samples[-1].value
        for series in receiver.series("orders_total", job="berlin/shop")
    }


@instruments_children
def test_children_push_as_instances_of_their_own(plain, injected, receiver, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(COUNTS_WITH_ITS_CHILDREN)
    ended = run("python", script, cwd=tmp_path, python=plain, **injected())
    assert (ended.status, ended.errors) == (0, [])
    assert orders(receiver) == {INSTANCE: 1, f"{INSTANCE}-1": 2, f"{INSTANCE}-2": 3}


@instruments_children
def test_where_the_whole_file_system_is_read_only_processes_number_themselves_all_the_same(
    plain, injected, receiver, tmp_path
):
    """The folder of the image, /tmp and /dev/shm included: nothing is written, and nothing is said of it."""
    if not read_only.prefix():
        pytest.skip("this machine lets nobody have mounts of their own: no test has a file system that is read-only")
    script = tmp_path / "app.py"
    script.write_text(COUNTS_WITH_ITS_CHILDREN)
    ended = run(*read_only.prefix(), plain, script, cwd=tmp_path, **injected())
    assert (ended.status, ended.errors) == (0, [])
    _, *refusals = ended.output.splitlines()
    assert refusals == ["Read-only file system"] * 4
    assert orders(receiver) == {INSTANCE: 1, f"{INSTANCE}-1": 2, f"{INSTANCE}-2": 3}
