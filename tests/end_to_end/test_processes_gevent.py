"""Applications of gevent, which replaces parts of the standard library: what imports them first breaks their HTTPS."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.application import run
from tests.end_to_end.fleet import PINNED, total

# Without importing it: exporters act differently beside it, and every test of this process would have it.
pytestmark = pytest.mark.skipif(find_spec("gevent") is None, reason="gevent has no build for this Python")

PATCH = "OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH"


def ours(receiver, **variables):
    return {
        "OTEL_EXPORTER_PRW_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_PRW_INTERVAL": "3600000",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*",
        **PINNED,
        **variables,
    }


AS_LOCUST = """
from gevent import monkey
monkey.patch_all()
import gevent
from urllib3.util.ssl_ import create_urllib3_context
from opentelemetry import metrics
work = metrics.get_meter('tests').create_counter('work')
def user():
    for _ in range(5):
        create_urllib3_context()
        work.add(1)
        gevent.sleep(0.1)
gevent.joinall([gevent.spawn(user) for _ in range(10)])
"""


def test_program_that_patches_as_its_first_act(receiver, tmp_path):
    """As Locust does."""
    ended = run("opentelemetry-instrument", "python", "-c", AS_LOCUST, cwd=tmp_path, **launched(receiver))
    assert (ended.status, ended.errors) == (0, [])
    assert total(receiver, "work_total") == 50


def test_package_that_patches_while_it_is_imported_goes_on_importing(receiver, tmp_path):
    """As Locust's does: the lock of the import is held by the thread that the patches rename."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("from gevent import monkey\nmonkey.patch_all()\nfrom . import work\n")
    (package / "work.py").write_text(
        "from opentelemetry import metrics\nmetrics.get_meter('tests').create_counter('work').add(1)\n"
    )
    ended = run("opentelemetry-instrument", "python", "-c", "import shop", cwd=tmp_path, **launched(receiver))
    assert (ended.status, ended.errors) == (0, [])
    assert total(receiver, "work_total") == 1


RUNS_A_PROGRAM = """
from opentelemetry.exporter.prometheus_remote_write.system.bounded_call import ExitThread
from gevent import monkey
monkey.patch_all()
import gevent, subprocess
thread = ExitThread()
thread.start(thread)  # as every exporter does in a forked child, from 3.12 on
gevent.sleep(0.01)
print(subprocess.check_output(["echo", "done"], text=True))
"""


def test_program_that_patches_may_start_others(receiver, tmp_path):
    """Greenlets run in the child that becomes the program; one that waits natively would stop them all."""
    ended = run("opentelemetry-instrument", "python", "-c", RUNS_A_PROGRAM, cwd=tmp_path, **launched(receiver))
    assert (ended.status, ended.output.split()) == (0, ["done"])


PATCHES_LATE = """
import sys
from opentelemetry import metrics
work = metrics.get_meter('tests').create_counter('work')
work.add(1)
metrics.get_meter_provider().force_flush()
import warnings
warnings.simplefilter('ignore')  # of gevent's own, which names urllib3
from gevent import monkey
monkey.patch_all()
work.add(1)
metrics.get_meter_provider().force_flush()
"""


def test_program_that_patches_after_an_export_is_told_which_variable_helps(receiver, tmp_path):
    ended = run("opentelemetry-instrument", "python", "-c", PATCHES_LATE, cwd=tmp_path, **launched(receiver))
    assert ended.status == 0
    (line,) = ended.errors
    assert line.startswith("gevent's patches are half applied")
    assert f"{PATCH}=patch_all" in line
    assert total(receiver, "work_total") == 2


def launched(receiver):
    variables = ours(receiver, OTEL_PYTHON_DISTRO="prometheus_remote_write", OTEL_SERVICE_NAME="shop")
    return {**variables, "OTEL_EXPORTER_PRW_INTERVAL": "3600000"}
