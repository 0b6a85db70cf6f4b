"""`otel-prw check` as a whole: the installation and the settings, how it looks, and what it never does."""

from __future__ import annotations

import json
import os
import platform
import pty
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.diagnose.declarative_file import reads_a_file
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import LAUNCHER, run
from tests.diagnose.checking import OURS, check
from tests.servers.ports import free_port
from tests.transport.scripted_server import ScriptedServer, answer

ENDPOINT = "OTEL_EXPORTER_PRW_ENDPOINT"
READS_FILES = reads_a_file({"OTEL_CONFIG_FILE": "otel.yaml"})
reads_files = pytest.mark.skipif(not READS_FILES, reason="this SDK reads no declarative files")
FILE = """
file_format: "1.0"
resource:
  attributes: [{name: service.name, value: declared}]
meter_provider:
  readers:
    - periodic:
        exporter:
          prometheus_remote_write: {arguments}
"""


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def test_versions_and_choices_are_told(receiver, tmp_path):
    done = check(tmp_path, receiver.url)
    assert done.status == 0
    assert str(Path(sys.executable).parent) in done.text("python")
    assert "opentelemetry-sdk 1." in done.text("packages")
    assert "OTEL_PYTHON_DISTRO names it" in done.text("distro")
    assert "distro of opentelemetry-distro" in done.text("distro")
    assert done.text("exporter") == "prometheus_remote_write"


def test_settings_that_are_not_at_their_default_are_told_with_their_origin(receiver, tmp_path):
    done = check(
        tmp_path,
        receiver.url,
        OTEL_EXPORTER_PRW_INTERVAL="5000",
        OTEL_EXPORTER_PRW_MAX_SERIES="0",
        OTEL_EXPORTER_PRW_STALE_MARKERS="true",
        OTEL_EXPORTER_PRW_DROP_METRICS="http.*,db.*",
        OTEL_EXPORTER_PRW_EXTERNAL_LABELS="cluster=x",
        OTEL_EXPORTER_PRW_HISTOGRAM_BOUNDARIES="0.5,1",
        OTEL_EXPORTER_PRW_TIMEOUT="20000",
    )
    assert done.text("endpoint") == f"{receiver.url} (from {ENDPOINT})"
    assert done.text("interval") == "5000 ms (from OTEL_EXPORTER_PRW_INTERVAL)"
    assert done.text("stale_markers") == "true (from OTEL_EXPORTER_PRW_STALE_MARKERS)"
    assert done.text("drop_metrics") == "http.*,db.* (from OTEL_EXPORTER_PRW_DROP_METRICS)"
    assert done.text("external_labels") == "cluster=x (from OTEL_EXPORTER_PRW_EXTERNAL_LABELS)"
    assert done.text("histogram_boundaries") == "0.5,1 (from OTEL_EXPORTER_PRW_HISTOGRAM_BOUNDARIES)"
    assert done.text("timeout") == "20 s (from OTEL_EXPORTER_PRW_TIMEOUT)"
    assert "max_series" not in done.findings
    assert "namespace" not in done.findings


def test_secrets_are_counted_and_never_shown(tmp_path):
    token = tmp_path / "token"
    token.write_text("hunter2-from-a-file\n")
    for secret, more in (
        ("hunter2-from-a-file", {"OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE": str(token)}),
        ("hunter2-token", {"OTEL_EXPORTER_PRW_BEARER_TOKEN": "hunter2-token"}),
        ("hunter2-password", {"OTEL_EXPORTER_PRW_USERNAME": "me", "OTEL_EXPORTER_PRW_PASSWORD": "hunter2-password"}),
    ):
        with ScriptedServer(answer(401, {}, f"refused {secret} hunter2-header hunter2-query".encode())) as server:
            given = {
                **OURS,
                ENDPOINT: f"{server.url}/w?key=hunter2-query",
                "OTEL_EXPORTER_PRW_HEADERS": "X-Scope-OrgID=team,X-Api-Key=hunter2-header",
                "OTEL_EXPORTER_PRW_PROXY": f"http://me:hunter2-proxy@127.0.0.1:{server.port}",
                **more,
            }
            for flags in ((), ("--json", "--send")):
                ended = run("otel-prw", "check", *flags, cwd=tmp_path, **given)
                assert ended.status == 1
                assert "hunter2" not in ended.output
                assert ended.errors == []
    done = check(
        tmp_path,
        f"http://me:hunter2@127.0.0.1:{free_port()}/",
        OTEL_EXPORTER_PRW_HEADERS="X-Scope-OrgID=team,X-Api-Key=hunter2",
    )
    assert (
        done.text("headers")
        == "X-Scope-OrgID: set (4 bytes), X-Api-Key: set (7 bytes) (from OTEL_EXPORTER_PRW_HEADERS)"
    )
    assert done.text("password") == "set (7 bytes) (from the URL)"
    done = check(tmp_path, "http://127.0.0.1:1/", OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE=str(token))
    assert done.text("bearer_token_file") == (
        f"set (from file {token}, 20 bytes; from OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE)"
    )


@pytest.mark.parametrize(
    ("variables", "topic", "text", "cure"),
    [
        ({ENDPOINT: ""}, "setting", "is not set: give it the receiver's write URL", "correct it"),
        ({ENDPOINT: "localhost:9090"}, "setting", "must begin with http:// or https://", "correct it"),
        (
            {
                "OTEL_EXPORTER_PRW_USERNAME": "me",
                "OTEL_EXPORTER_PRW_PASSWORD": "hunter2",
                "OTEL_EXPORTER_PRW_BEARER_TOKEN": "hunter2",
            },
            "setting",
            "one of several ways to authenticate",
            "correct it",
        ),
        ({"OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE": "/none"}, "secret-file", "'/none' cannot be read", "mount a file"),
        ({"OTEL_SDK_DISABLED": "true"}, "sdk-disabled", "switches all of OpenTelemetry off", "unset it"),
        ({"OTEL_PYTHON_DISTRO": "distro"}, "distro-other", "does not choose Remote Write", "otel-prw run"),
        (
            {"OTEL_METRICS_EXPORTER": "otlp"},
            "exporter-other",
            "do not go out by Remote Write",
            "OTEL_METRICS_EXPORTER=",
        ),
    ],
)
def test_what_keeps_metrics_from_being_sent_is_a_failure(receiver, tmp_path, *, variables, topic, text, cure):
    done = check(tmp_path, **{"endpoint": receiver.url, **variables})
    assert done.status == 1
    assert topic in done.failures
    assert text in done.text(topic)
    assert cure in done.cure(topic)
    assert "hunter2" not in str(done.findings)


def test_credentials_that_cannot_be_had_are_told_and_nothing_is_sent(receiver, tmp_path):
    done = check(
        tmp_path,
        receiver.url,
        OTEL_EXPORTER_PRW_AUTH="sigv4",
        OTEL_EXPORTER_PRW_SIGV4_REGION="eu-central-1",
        AWS_EC2_METADATA_DISABLED="true",
    )
    assert (done.status, done.failures) == (1, {"not-sent"})
    assert "AWS" in done.text("not-sent") or "aws" in done.text("not-sent")
    assert "nothing is sent until then" in done.cure("not-sent")
    assert (receiver.received, receiver.rejected) == ([], [])


def test_nothing_is_asked_of_the_receiver_where_nothing_would_be_sent(receiver, tmp_path):
    check(tmp_path, receiver.url, "--send", OTEL_EXPORTER_PRW_BEARER_TOKEN_FILE="/none")
    assert (receiver.received, receiver.rejected) == ([], [])


def test_variable_that_is_unknown_is_told_with_the_nearest(receiver, tmp_path):
    done = check(tmp_path, receiver.url, OTEL_EXPORTER_PRW_ENDPONT="x", OTEL_EXPORTER_PRW_TIMEOUT="soon")
    assert (done.status, done.of("warning")) == (0, {"unknown-variable", "setting"})
    assert done.text("unknown-variable") == "OTEL_EXPORTER_PRW_ENDPONT is not a variable of this exporter"
    assert done.cure("unknown-variable") == "write OTEL_EXPORTER_PRW_ENDPOINT"


def test_setting_that_is_hardly_meant_is_a_warning(receiver, tmp_path):
    done = check(tmp_path, receiver.url, OTEL_EXPORTER_PRW_INTERVAL="30")
    assert (done.status, done.of("warning")) == (0, {"setting"})
    assert "did you mean seconds? Then set 30000" in done.text("setting")


def test_job_and_instance_are_told(receiver, tmp_path):
    done = check(tmp_path, receiver.url, OTEL_RESOURCE_ATTRIBUTES="service.namespace=berlin,service.instance.id=pod-1")
    assert done.text("job") == "berlin/shop"
    assert done.text("instance").startswith("pod-1 (from OTEL_RESOURCE_ATTRIBUTES")
    done = check(tmp_path, receiver.url, OTEL_EXPORTER_PRW_INSTANCE="host")
    assert done.text("instance").startswith(f"{platform.node()}, the host's name")
    done = check(tmp_path, receiver.url, OTEL_SERVICE_NAME="")
    assert done.of("warning") == {"job"}
    assert done.text("instance").startswith("a new one for each process, such as ")


@reads_files
def test_declarative_file_is_read_as_the_sdk_does(receiver, tmp_path):
    file = tmp_path / "otel.yaml"
    file.write_text(FILE.replace("{arguments}", "{endpoint: '${WHERE}', max_series: 7}"))
    done = check(tmp_path, "", OTEL_CONFIG_FILE=str(file), WHERE=receiver.url, OTEL_EXPORTER_PRW_NAMESPACE="a")
    assert (done.status, done.failures) == (0, set())
    assert done.text("endpoint") == f"{receiver.url} (from the declarative file)"
    assert done.text("max_series") == "7 (from the declarative file)"
    assert done.text("namespace") == "a (from OTEL_EXPORTER_PRW_NAMESPACE)"
    assert done.text("job") == "declared"
    assert done.of("warning") == {"instance"}


@pytest.mark.skipif(READS_FILES, reason="this SDK reads declarative files")
def test_declarative_file_that_this_sdk_does_not_read_is_a_warning(receiver, tmp_path):
    done = check(tmp_path, receiver.url, OTEL_CONFIG_FILE="otel.yaml")
    assert (done.status, done.of("warning")) == (0, {"file-ignored"})


@reads_files
@pytest.mark.parametrize(
    ("content", "topic", "text"),
    [
        (None, "file-missing", "is not a file that can be read"),
        ("a: [hunter2", "file-wrong", "at line"),
        ('file_format: "1.0"\nmeter_provider: hunter2\n', "file-wrong", "at $.meter_provider"),
        ('file_format: "1.0"\n', "file-exporter", "declares no exporter prometheus_remote_write"),
        ('file_format: "1.0"\ndisabled: true\n', "file-disabled", "says disabled: true"),
        (FILE.replace("{arguments}", "{endpoint: 'http://a', max_seris: 7}"), "file-argument", "'max_seris'"),
        (FILE.replace("{arguments}", "{endpoint: hunter2}"), "file-argument", "must begin with http:// or https://"),
    ],
)
def test_declarative_file_that_does_not_work(tmp_path, content, topic, text):
    file = tmp_path / "otel.yaml"
    if content:
        file.write_text(content)
    done = check(tmp_path, "", OTEL_CONFIG_FILE=str(file))
    assert (done.status, done.failures) == (1, {topic})
    assert text in done.text(topic)
    assert done.cure(topic)
    assert "hunter2" not in str(done.findings)


def test_text_has_a_line_for_each_finding_and_a_verdict(receiver, tmp_path):
    ended = run("otel-prw", "check", cwd=tmp_path, **{**OURS, ENDPOINT: receiver.url, "OTEL_EXPORTER_PRW_X": "1"})
    lines = ended.output.splitlines()
    assert (ended.status, ended.errors) == (0, [])
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "installation",
        "configuration",
        "network",
        "receiver",
        "metrics would arrive: 1 warning",
    ]
    warned = lines.index("  warning unknown-variable: OTEL_EXPORTER_PRW_X is not a variable of this exporter")
    assert lines[warned + 1].startswith("          cure: ")
    assert all(line.startswith(("  ok      ", "  warning ", "          cure: ")) for line in lines if line[:1] == " ")
    assert "\x1b" not in ended.output


@pytest.mark.parametrize(
    ("variables", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_want_it(receiver, tmp_path, variables, is_coloured):
    terminal, its_end = pty.openpty()
    command = [Path(sys.executable).parent / "otel-prw", "check"]
    environ = {"TERM": "xterm", **OURS, ENDPOINT: receiver.url, **variables}
    with subprocess.Popen(command, stdout=its_end, cwd=tmp_path, env=environ) as process:
        os.close(its_end)
        shown = b""
        try:
            while data := os.read(terminal, 65536):
                shown += data
        except OSError:  # how Linux tells that nobody has the other end any more
            pass
    os.close(terminal)
    assert process.returncode == 0
    assert (b"\x1b[32mok" in shown) is is_coloured
    assert (b"\x1b" in shown) is is_coloured


def test_what_hangs_elsewhere_does_not_keep_the_check(receiver, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import socket, time\nsocket.getaddrinfo = lambda *_, **__: time.sleep(600)\n"
    )
    done = check(
        tmp_path,
        receiver.url.replace("127.0.0.1", "localhost"),
        PYTHONPATH=str(tmp_path),
        OTEL_EXPORTER_PRW_TIMEOUT="3000",
    )
    assert (done.status, done.failures) == (1, {"name"})


def test_detector_that_hangs_does_not_keep_the_check(receiver, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import time\nfrom opentelemetry.sdk.resources import Resource\nResource.create = lambda: time.sleep(600)\n"
    )
    done = check(tmp_path, receiver.url, PYTHONPATH=str(tmp_path), OTEL_EXPORTER_PRW_TIMEOUT="3000")
    assert (done.status, done.failures) == (1, {"time"})


def test_in_an_instrumented_process_nothing_is_pushed_and_the_given_environment_is_told(receiver, tmp_path):
    """As in an injected pod by kubectl exec; the stock distro sets OTEL_METRICS_EXPORTER=otlp in such a process."""
    ended = run(
        *(LAUNCHER, "python", "-m", "opentelemetry_prometheus_remote_write", "check", "--json"),
        cwd=tmp_path,
        **{ENDPOINT: receiver.url, "OTEL_PYTHON_DISTRO": "distro", "OTEL_METRICS_EXPORTER": "prometheus_remote_write"},
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_PYTHON_CONFIGURATOR="prometheus_remote_write",
    )
    document = json.loads(ended.output)
    assert document["arrives"] is True
    assert [each.series for each in receiver.received] == [()]


def test_without_protobuf_the_check_still_says_so(tmp_path):
    broken = tmp_path / "google" / "protobuf"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('made for another Python')\n")
    (tmp_path / "google" / "__init__.py").touch()
    done = check(tmp_path, "http://127.0.0.1:1/", PYTHONPATH=str(tmp_path))
    assert (done.status, done.failures) == (1, {"import"})
    assert "made for another Python" in done.text("import")


def test_without_snappy_requests_are_uncompressed(receiver, tmp_path):
    (tmp_path / "snappy.py").write_text("raise ImportError('no build for this Python')\n")
    done = check(tmp_path, receiver.url, PYTHONPATH=str(tmp_path))
    assert (done.status, done.of("warning")) == (0, {"snappy"})
    assert "otel-python-platform: musl" in done.cure("snappy")


def test_reader_that_leaves_is_no_traceback(receiver, tmp_path):
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [Path(sys.executable).parent / "otel-prw", "check"],
                cwd=tmp_path,
                env={**OURS, ENDPOINT: receiver.url},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        process.stdout.close()
        assert process.stderr.read() == b""
