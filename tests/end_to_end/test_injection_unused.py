"""What the injected folder does where metrics go elsewhere: nothing of ours runs, and hardly anything is loaded."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.application import run
from tests.end_to_end import installations
from tests.end_to_end.conftest import SHOP


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
LIBRARY = "opentelemetry.exporter.prometheus_remote_write"
FOUND_FIRST = (LIBRARY, f"{LIBRARY}.version", PLUG, f"{PLUG}.configurator")
"""What the launcher's first configurator is, if it is ours."""


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
    loaded = " ".join([*FOUND_FIRST, f"{PLUG}.distro", f"{PLUG}.exporter_names", f"{PLUG}.log_level"])
    assert ended.output.splitlines() == ["without flask", loaded]


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
            *(
                False,
                {"OTEL_PYTHON_DISTRO": "distro"},
                " ".join([*FOUND_FIRST, f"{PLUG}.exporter_names", f"{PLUG}.log_level"]),
            ),
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
