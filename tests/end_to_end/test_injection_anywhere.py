"""What the Operator injects, beside whatever the application has: its Python, its packages, its user."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.application import run
from tests.end_to_end import installations, interpreters
from tests.end_to_end.conftest import SHOP
from tests.end_to_end.injected_shop import INSTANCE, assert_shop_arrived

NOBODY = 65534
UNCOMPRESSED = "python-snappy cannot be imported"


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(
            version,
            marks=pytest.mark.skipif(
                not interpreters.imports_protobuf(version), reason="the protobuf of this run cannot be imported there"
            ),
        )
        for version in sorted(interpreters.supported().keys() - {interpreters.THIS})
    ],
)
def test_other_python_pushes_uncompressed_and_one_line_says_so(version, injected, receiver, tmp_path):
    python = interpreters.virtual_environment(interpreters.supported()[version], tmp_path / "app")
    ended = run("python", SHOP, cwd=tmp_path, python=python, **injected())
    assert (ended.status, ended.output) == (0, "without flask\n")
    (line,) = ended.errors
    assert line.startswith(UNCOMPRESSED)
    assert_shop_arrived(receiver)


def test_where_the_engine_of_snappy_has_no_build_one_line_says_so(plain, injected, receiver, tmp_path):
    """As on another Python, also where this machine has no other."""
    (tmp_path / "cramjam.py").write_text("raise ImportError('built for another Python')")
    ended = run("python", SHOP, cwd=tmp_path, python=plain, **injected(PYTHONPATH=str(tmp_path)))
    assert ended.status == 0
    assert ended.errors == [
        f"{UNCOMPRESSED} (built for another Python): requests are sent uncompressed, in snappy's format"
    ]
    assert_shop_arrived(receiver)


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
    assert_shop_arrived(receiver)


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
    assert_shop_arrived(receiver)


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
    assert_shop_arrived(receiver)


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
    assert_shop_arrived(receiver)
