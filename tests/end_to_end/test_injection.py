"""What the Operator does to a pod, without a cluster: the folder of the image, its environment, somebody's application.

The folder holds what the example's Dockerfile installs. The environment is made of the example's manifests as the
Operator and kubelet make it. The application's virtual environment has none of our packages, and its process no HOME.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path

import pytest
import urllib3
import yaml

from examples.launcher.shop import APPLICATION
from tests.application import run, wait_until_it_serves
from tests.end_to_end import installations, interpreters, read_only
from tests.end_to_end.conftest import OPERATOR, SHOP
from tests.end_to_end.kubelet import Pod
from tests.servers.ports import free_port

INSTANCE = f"berlin.{Pod().name}.app"
NOBODY = 65534
UNCOMPRESSED = "python-snappy cannot be imported"


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """An application's interpreter, of the version that the folder was built with."""
    return interpreters.virtual_environment(Path(sys.executable), tmp_path_factory.mktemp("app"))


def assert_arrived(receiver):
    """What the small shop has recorded is there, under the names that the Operator gives; and the process's metrics."""
    assert receiver.rejected == []
    assert receiver.values("orders_total", method="card", job="berlin/shop", instance=INSTANCE)[-1] == 3
    assert receiver.values("latency_seconds_count", k8s_node_name="node-1")[-1] == 2
    assert receiver.values("process_memory_usage_bytes", instance=INSTANCE)[-1] > 0
    assert receiver.received[-1].headers["Authorization"] == "Bearer replace-me"
    assert receiver.series("target_info", telemetry_distro_name="opentelemetry-exporter-prometheus-remote-write")


def test_packages_and_size_of_the_folder_are_those_of_the_readme(image):
    (listed,) = re.findall(
        r"<!-- packages -->(.*?)<!-- /packages -->", (OPERATOR.parent / "README.md").read_text(), re.DOTALL
    )
    normalised = {re.sub(r"[-_.]+", "-", found.name).lower() for found in distributions(path=[str(image)])}
    named = {name.replace("_", "-") for name in re.findall("`(.*?)`", listed)}
    assert normalised == named
    megabytes = sum(path.stat().st_size for path in image.rglob("*") if path.is_file()) / 1e6
    assert "less than 40 MB" in " ".join(listed.split())
    assert megabytes < 40


def test_everybody_may_read_the_folder(image):
    readable = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
    assert [path for path in image.rglob("*") if path.stat().st_mode & readable != readable] == []


def test_application_that_knows_nothing_of_metrics_is_counted(image, injected, receiver, tmp_path):
    """The example's Deployment and its init container: Flask in an environment of its own, and SIGTERM at the end."""
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
        env={"PATH": os.defpath, **injected(folder=folder)},
        stderr=subprocess.PIPE,
        text=True,
    ) as shop:
        wait_until_it_serves(shop, port)
        with urllib3.PoolManager(retries=False) as http:
            for _ in range(3):
                assert http.request("GET", f"http://127.0.0.1:{port}/products/7").status == 200
        shop.terminate()
        errors = shop.communicate(timeout=20)[1]
    assert shop.returncode == -15
    assert "opentelemetry" not in errors.lower()
    assert receiver.rejected == []
    assert receiver.values(
        "http_server_request_duration_seconds_count", job="berlin/shop", instance=INSTANCE, k8s_node_name="node-1"
    )[-1:] == [3]


def test_folder_that_was_built_with_the_same_python_pushes_compressed(plain, injected, receiver, tmp_path):
    assert run("python", SHOP, cwd=tmp_path, python=plain, **injected()) == (0, "without flask\n", [])
    assert_arrived(receiver)


@pytest.mark.parametrize("version", sorted(interpreters.supported().keys() - {interpreters.THIS}))
def test_other_python_pushes_uncompressed_and_one_line_says_so(version, injected, receiver, tmp_path):
    python = interpreters.virtual_environment(interpreters.supported()[version], tmp_path / "app")
    ended = run("python", SHOP, cwd=tmp_path, python=python, **injected())
    assert (ended.status, ended.output) == (0, "without flask\n")
    (line,) = ended.errors
    assert line.startswith(UNCOMPRESSED)
    assert_arrived(receiver)


def test_where_the_engine_of_snappy_has_no_build_one_line_says_so(plain, injected, receiver, tmp_path):
    """As on another Python, also where this machine has no other."""
    (tmp_path / "cramjam.py").write_text("raise ImportError('built for another Python')")
    ended = run("python", SHOP, cwd=tmp_path, python=plain, **injected(PYTHONPATH=str(tmp_path)))
    assert ended.status == 0
    assert ended.errors == [
        f"{UNCOMPRESSED} (built for another Python): requests are sent uncompressed, in snappy's format"
    ]
    assert_arrived(receiver)


@pytest.mark.parametrize("version", sorted(interpreters.too_old()))
def test_python_that_is_too_old_runs_its_application_as_before(version, injected, receiver, tmp_path):
    python = interpreters.virtual_environment(interpreters.too_old()[version], tmp_path / "app")
    (tmp_path / "app.py").write_text("print('served')")
    ended = run("python", tmp_path / "app.py", cwd=tmp_path, python=python, **injected())
    assert (ended.status, ended.output) == (0, "served\n")
    assert ended.errors[0].startswith("Error in sitecustomize")
    assert receiver.connections == 0


def test_application_s_own_distro_of_two_years_ago_stands_back(injected, receiver, tmp_path):
    python = installations.python_with("opentelemetry-distro == 0.48b0", "setuptools < 81")
    assert run("python", SHOP, cwd=tmp_path, python=python, **injected()) == (0, "without flask\n", [])
    assert_arrived(receiver)


USES_ITS_LIBRARIES = """
import sys
import urllib3
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.internal import builder

file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop")
file.message_type.add(name="Order").field.add(name="number", number=1, type=13, label=1)
DESCRIPTOR = descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())  # as modules do that protoc has generated
builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, "order_pb2", globals())
print(Order.FromString(Order(number=7).SerializeToString()).number)
print(urllib3.PoolManager().request("GET", sys.argv[1]).status)
"""


def test_application_s_own_older_urllib3_and_protobuf_are_replaced_and_its_code_runs(injected, receiver, tmp_path):
    python = installations.python_with("urllib3 == 1.26.20", "protobuf == 4.25.8")
    script = tmp_path / "app.py"
    script.write_text(USES_ITS_LIBRARIES)
    alone = run("python", script, receiver.url, cwd=tmp_path, python=python)
    assert (alone.status, alone.errors) == (0, [])
    ended = run("python", script, receiver.url, cwd=tmp_path, python=python, **injected())
    assert ended == alone
    assert receiver.values("process_memory_usage_bytes", instance=INSTANCE)[-1] > 0


def test_user_s_own_python_path_is_kept(plain, injected, receiver, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mine.py").write_text("print('mine')")
    script = tmp_path / "app.py"
    script.write_text(f"import mine\n{SHOP.read_text()}")
    ended = run("python", script, cwd=tmp_path, python=plain, **injected(PYTHONPATH=str(tmp_path / "lib")))
    assert ended == (0, "mine\nwithout flask\n", [])
    assert_arrived(receiver)


def test_too_old_a_library_on_the_user_s_python_path_costs_our_metrics_alone(plain, injected, receiver, tmp_path):
    """It is found before what is injected, so there is no way around it."""
    (tmp_path / "urllib3.py").write_text("__version__ = '1.26.20'\n")
    variables = injected(PYTHONPATH=str(tmp_path), OTEL_TRACES_EXPORTER="console")
    ended = run("python", SHOP, cwd=tmp_path, python=plain, **variables)
    assert ended.status == 0
    assert '"name": "checkout"' in ended.output
    assert [line for line in ended.errors if line.startswith("Metrics are not sent by Remote Write:")] != []
    assert receiver.connections == 0


def test_another_distro_on_the_user_s_python_path_stands_back(plain, injected, receiver, tmp_path):
    stock = installations.stock_distro(tmp_path / "stock")
    ended = run("python", SHOP, cwd=tmp_path, python=plain, **injected(PYTHONPATH=str(stock)))
    assert ended == (0, "without flask\n", [])
    assert_arrived(receiver)


@pytest.fixture
def anybody(tmp_path):
    """An interpreter and the id of a user who is not root and owns nothing; None where the tests are not root's."""
    if os.geteuid():
        yield interpreters.virtual_environment(Path(sys.executable), tmp_path / "app"), None
        return
    python = interpreters.of_everybody()
    if not python:
        refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        refuse("no Python of this machine can be run by another user than root")
    with tempfile.TemporaryDirectory(prefix="app-") as folder:
        Path(folder).chmod(0o755)
        yield interpreters.virtual_environment(python, Path(folder)), NOBODY


@pytest.mark.parametrize("home", [None, "/nonexistent"], ids=["no HOME", "a HOME that is not there"])
def test_user_who_may_write_nowhere_pushes(anybody, image, injected, receiver, home):
    python, user = anybody
    with tempfile.TemporaryDirectory(prefix="read-only-") as place:
        folder = Path(place, "otel-auto-instrumentation-python")
        subprocess.run(["cp", "-r", f"{image}/.", folder], check=True)
        Path(place, "app.py").write_text(f"import os\nprint(os.access('.', os.W_OK))\n{SHOP.read_text()}")
        subprocess.run(["chmod", "-R", "a+rX,a-w", place], check=True)
        own = {"HOME": home} if home else {}
        ended = run(
            *("python", Path(place, "app.py")),
            cwd=Path(place),
            python=python,
            user=user,
            **injected(folder=folder, **own),
        )
        written = [path for path in folder.rglob("*") if path.stat().st_mode & 0o222]
        subprocess.run(["chmod", "-R", "u+w", place], check=True)
    assert (ended.status, ended.output) == (0, "False\nwithout flask\n")
    assert [line for line in ended.errors if not line.startswith(UNCOMPRESSED)] == []
    assert written == []
    assert_arrived(receiver)


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


def test_children_push_as_instances_of_their_own(plain, injected, receiver, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(COUNTS_WITH_ITS_CHILDREN)
    ended = run("python", script, cwd=tmp_path, python=plain, **injected())
    assert (ended.status, ended.errors) == (0, [])
    assert orders(receiver) == {INSTANCE: 1, f"{INSTANCE}-1": 2, f"{INSTANCE}-2": 3}


def test_where_the_whole_file_system_is_read_only_processes_are_told_apart_by_their_ids(
    plain, injected, receiver, tmp_path
):
    """The folder of the image, /tmp and /dev/shm included: nothing is written, and nothing is said of it."""
    if not read_only.prefix():
        pytest.skip("this machine lets nobody have mounts of their own: no test has a file system that is read-only")
    script = tmp_path / "app.py"
    script.write_text(COUNTS_WITH_ITS_CHILDREN)
    ended = run(*read_only.prefix(), plain, script, cwd=tmp_path, **injected())
    assert (ended.status, ended.errors) == (0, [])
    pids, *refusals = ended.output.splitlines()
    assert refusals == ["Read-only file system"] * 4
    assert orders(receiver) == {f"{INSTANCE}-{pid}": counted for counted, pid in enumerate(pids.split(), 1)}


@pytest.fixture
def otlp():
    """A collector that takes everything: its URL, and the paths that were posted to."""
    paths = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()


LISTS_WHAT_IS_OURS = """
import sys
print(*sorted(name for name in sys.modules if 'prometheus_remote_write' in name))
"""
PLUG = "opentelemetry_prometheus_remote_write"


def test_where_the_operator_s_default_is_left_nothing_of_ours_runs_and_nothing_breaks(
    plain, injected, receiver, otlp, tmp_path
):
    """Of ours only the plug is loaded, which is the launcher's doing: no other distro and configurator are there."""
    url, paths = otlp
    script = tmp_path / "app.py"
    script.write_text(f"{SHOP.read_text()}{LISTS_WHAT_IS_OURS}")
    variables = injected(pushing=False, OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_PRW_ENDPOINT=receiver.url)
    assert variables["OTEL_METRICS_EXPORTER"] == "otlp"
    ended = run("python", script, cwd=tmp_path, python=plain, **variables)
    assert (ended.status, ended.errors) == (0, [])
    assert receiver.connections == 0
    assert set(paths) == {"/v1/metrics", "/v1/traces"}
    assert ended.output.splitlines() == ["without flask", f"{PLUG} {PLUG}.configurator {PLUG}.distro"]


NAMED = {"OTEL_PYTHON_DISTRO": "distro", "OTEL_PYTHON_CONFIGURATOR": "configurator"}
PASSED_OVER = "Configuration of prometheus_remote_write not loaded"


@pytest.mark.parametrize(
    ("is_found_first", "variables", "loaded", "said"),
    [
        pytest.param(True, {}, "", f"{PASSED_OVER}, configurator already loaded", id="it is found first"),
        pytest.param(
            *(False, NAMED, "", f"{PASSED_OVER} because configurator is set by OTEL_PYTHON_CONFIGURATOR"),
            id="it and its configurator are named",
        ),
        pytest.param(
            *(False, {"OTEL_PYTHON_DISTRO": "distro"}, f"{PLUG} {PLUG}.configurator"),
            "Configuration of configurator not loaded, prometheus_remote_write already loaded",
            id="it is named, and the launcher loads the first configurator that it finds",
        ),
    ],
)
def test_where_another_distro_is_chosen_only_what_the_launcher_finds_first_is_loaded_of_ours(
    loaded_with, is_found_first, variables, loaded, said
):
    ended = loaded_with(is_found_first, **variables)
    assert ended == (0, f"{loaded}\n", [said])


@pytest.fixture
def loaded_with(plain, injected, otlp, tmp_path):
    """Runs a process that lists what it has loaded of ours, with the other distro before or after what is injected."""

    def launch(is_found_first, **variables):
        stock = str(installations.stock_distro(tmp_path / "stock"))
        (tmp_path / "app.py").write_text(LISTS_WHAT_IS_OURS)
        own = {"PYTHONPATH": stock} if is_found_first else {}
        environment = injected(pushing=False, OTEL_EXPORTER_OTLP_ENDPOINT=otlp[0], **own, **variables)
        environment["PYTHONPATH"] += f":{stock}"  # as the application's own packages are
        return run("python", tmp_path / "app.py", cwd=tmp_path, python=plain, **environment)

    return launch
