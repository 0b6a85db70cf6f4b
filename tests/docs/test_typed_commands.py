"""Every command of the pages is run, as it is written, by somebody who is new to them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import urllib3

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.docs.newcomer import Newcomer, interrupt, wait_for
from tests.docs.pages import CHECKOUT, PAGES, README, SITE, blocks, name
from tests.servers.ports import free_port

pytestmark = pytest.mark.timeout(300)  # the first test installs

TUTORIAL = SITE / "tutorial" / "first-metric.md"
INSTALLATION, *_ = blocks(README, "sh")
ELSEWHERE = {
    "make demo": "tests/end_to_end/test_demo.py",
    "examples/prometheus_client": "tests/end_to_end/test_prometheus_client.py, where prometheus_client is installed",
    "make test": "it runs this test",
    "make bench": "tests/benchmarks/test_benchmark.py",
    "docker": "there is no daemon: tests/examples reads what would be built",
    "kubectl": "there is no cluster: tests/examples checks what would be applied",
}
"""Commands, their first words or their folders, that are not run here, and why."""
OTHERS = [path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
WITHOUT_TEST = [page for page in PAGES if not any(name(page) in test for test in OTHERS)]
"""The pages whose commands no other test in this folder runs."""
COMMANDS = {command: block for page in WITHOUT_TEST for block in blocks(page, "sh") for command in block.commands}


def of_kind(*words):
    """The commands that have the words, and whose own test is not elsewhere."""
    found = [command for command in COMMANDS if all(word in command for word in words) and not _elsewhere(command)]
    return [pytest.param(command, id=f"{name(COMMANDS[command].page)}: {command}") for command in found]


def _elsewhere(command):
    page = name(COMMANDS[command].page)
    return any(command == each or command.split()[0] == each or page.startswith(f"{each}/") for each in ELSEWHERE)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    if not shutil.which("git"):
        pytest.skip("git is not installed here")
    newcomer = Newcomer(tmp_path_factory.mktemp("newcomer"))
    newcomer.type(INSTALLATION.text)
    for command in INSTALLING:
        newcomer.type(command, newcomer.checkout)
    return newcomer


LAUNCHED = of_kind("opentelemetry-instrument python")
INSTALLING = [
    command for command in COMMANDS if command.startswith("pip install") and command not in INSTALLATION.commands
]
SCRIPTS = of_kind("python quickstart.py")


def test_every_command_is_run_by_one_of_these_tests_or_elsewhere():
    run = {param.values[0] for param in (*LAUNCHED, *SCRIPTS)}
    run |= {*INSTALLATION.commands, *INSTALLING, "otel-prw receive"}
    assert {command for command in COMMANDS if not _elsewhere(command)} == run


def test_tutorial_installs_as_the_readme_does():
    assert blocks(TUTORIAL, "sh")[0].text == INSTALLATION.text


def folder_of(newcomer, command):
    """Where a page tells to run a command: in the example's folder, or at the top."""
    page = COMMANDS[command].page
    if page.parent.parent == CHECKOUT / "examples":
        return newcomer.checkout / page.parent.relative_to(CHECKOUT)
    return newcomer.checkout / ("" if "examples/" in command else "examples/launcher")


def moved(command, url):
    """The command with another endpoint; the rest as it is."""
    for written in ("http://localhost:9090/api/v1/write", "http://127.0.0.1:9009/api/v1/write"):
        command = command.replace(written, url)
    return command


def visit(newcomer, command, log, url):
    """Start the shop with a command, visit it, and end it by Ctrl-C."""
    port = free_port()
    folder = folder_of(newcomer, command)
    with newcomer.start(moved(command, url), folder, log, PORT=str(port), PUSH_TO=url) as process:
        wait_for("Press CTRL", log, process)
        with urllib3.PoolManager(retries=False) as http:
            assert http.request("GET", f"http://127.0.0.1:{port}/products/7").status == 200
        assert interrupt(process) == 0, log.read_text()


@pytest.mark.parametrize("command", LAUNCHED)
def test_application_that_is_started_pushes(newcomer, command, tmp_path):
    with Receiver() as receiver:
        visit(newcomer, command, tmp_path / "log", receiver.url)
        assert receiver.rejected == []
        name = "http_server_request_duration_seconds_count" if "=http " in command else "http_server_active_requests"
        assert receiver.series(name) or receiver.series("http_server_duration_milliseconds_count")


def test_receiver_shows_what_the_readme_says(newcomer, tmp_path):
    (launched,) = [param.values[0] for param in LAUNCHED if COMMANDS[param.values[0]].page == README]
    (block,) = blocks(README, "text")
    log = tmp_path / "received"
    with newcomer.start(f"otel-prw receive --listen 127.0.0.1:{free_port()}", newcomer.checkout, log) as receiver:
        url = wait_for(r"http://\S+/api/v1/write", log, receiver)[0]
        visit(newcomer, launched, tmp_path / "shop.log", url)
        wait_for("http_server_request_duration_seconds ", log, receiver)
        assert interrupt(receiver) == 0
    shown, received = (
        {line.split()[0] for line in lines.splitlines() if line.strip()} for lines in (block.text, log.read_text())
    )
    assert shown <= received


@pytest.mark.parametrize("command", SCRIPTS)
def test_script_of_an_example_runs(newcomer, command):
    with Receiver() as receiver:
        newcomer.type(f"{command} {receiver.url}", folder_of(newcomer, command))
        assert receiver.series("orders_total")
