"""`otel-prw` as people call it: a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from opentelemetry_prometheus_remote_write.receive import add_arguments

from opentelemetry.exporter.prometheus_remote_write.proto import write_v1_pb2 as v1
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.receiver.messages import NOW, post, request, request_2_0, sample, series, series_2_0

COMMAND = [sys.executable, "-m", "opentelemetry_prometheus_remote_write.command"]


@contextmanager
def receiving(*arguments, stdout=subprocess.PIPE, env=None):
    """Run the receiver on a free port; yield the process and, once it listens, something that `post` can send to."""
    process = subprocess.Popen(
        [*COMMAND, "receive", "--listen", "127.0.0.1:0", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | (env or {}),
    )
    with process:
        try:
            hint = process.stderr.readline().rstrip()
            assert hint.startswith("OTEL_EXPORTER_PRW_ENDPOINT=http://127.0.0.1:")
            yield process, SimpleNamespace(url=hint.partition("=")[2])
        finally:
            process.kill()


def run(*arguments, env=None):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=30, env=os.environ | (env or {})
    )


def test_table_of_each_push_is_printed_and_the_command_ends_after_enough():
    with receiving("--once", "2") as (process, receiver):
        assert post(receiver, request(series(samples=[sample(3.0)]))).status == 204
        assert post(receiver, request(series([("a", "1")]))).status == 400
        assert post(receiver, request(series(samples=[sample(5.5, NOW + 1)]))).status == 204
        out, err = process.communicate(timeout=30)
    tables = out.split("\n\n")
    assert [table.splitlines()[-1] for table in tables[:2]] == [
        'up          3     new  job="shop"',
        'up        5.5    +2.5  job="shop"',
    ]
    assert tables[0].splitlines()[0].startswith("push 1: protocol 1.0, 1 series, ")
    assert err == 'rejected with 400: there is no __name__ (series {a="1"})\n'
    assert process.returncode == 0


def test_json_is_all_that_stands_on_stdout():
    with receiving("--json", "--once", "2") as (process, receiver):
        post(receiver, request(series(samples=[sample(1.0), sample(2.0, NOW + 1)])))
        post(receiver, b"no snappy")
        post(receiver, request_2_0(series_2_0([1, 3])))
        out, err = process.communicate(timeout=30)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["protocol"], line["labels"]["__name__"], line["value"]) for line in lines] == [
        ("1.0", "up", 1.0),
        ("1.0", "up", 2.0),
        ("2.0", "job", 1.0),
    ]
    assert err.startswith("rejected with 400: the body is not a snappy block")
    assert process.returncode == 0


def test_request_that_brings_no_series_is_no_push():
    metadata = request(metadata=[v1.MetricMetadata(metric_family_name="up", help="Help.")])
    with receiving("--once", "1") as (process, receiver):
        assert post(receiver, metadata).status == 204
        assert post(receiver, request_2_0()).status == 204
        assert post(receiver, request(series())).status == 204
        out, err = process.communicate(timeout=30)
    assert out.splitlines()[-2:] == ['up          1     new  job="shop"', ""]
    assert out.count("push ") == 1
    assert (process.returncode, err) == (0, "")


def test_output_comes_while_the_command_runs():
    with receiving("--json") as (process, receiver):
        post(receiver, request(series()))
        assert json.loads(process.stdout.readline())["value"] == 1.0
        assert process.poll() is None


def test_interrupt_ends_the_command_in_good_order():
    with receiving() as (process, receiver):
        post(receiver, request(series()))
        assert process.stdout.readline().startswith("push 1:")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err == ""


def test_reader_that_leaves_ends_the_command_in_good_order():
    with receiving("--json") as (process, receiver):
        process.stdout.close()
        post(receiver, request(series()))
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""


def test_table_is_redrawn_on_a_terminal():
    terminal, its_end = pty.openpty()
    with receiving("--once", "1", stdout=its_end, env={"COLUMNS": "60", "LINES": "10"}) as (process, receiver):
        os.close(its_end)
        post(receiver, request(series()))
        process.wait(timeout=30)
        screen = os.read(terminal, 65536).decode()
    os.close(terminal)
    drawn = screen.split("\x1b[H")
    assert drawn[1].splitlines()[:2] == [f"{receiver.url}\x1b[K", "waiting for the first push\x1b[K"]
    assert 'up          1     new  job="shop"\x1b[K' in drawn[-1]
    assert process.returncode == 0


def test_labels_that_the_output_cannot_encode_do_not_end_the_command():
    with receiving("--once", "1", env={"PYTHONIOENCODING": "ascii"}) as (process, receiver):
        post(receiver, request(series([("__name__", "up"), ("city", "Zürich")])))
        out, _ = process.communicate(timeout=30)
    assert r'city="Z\xfcrich"' in out
    assert process.returncode == 0


def test_taken_port_is_one_clear_line():
    with Receiver() as taken:
        done = run("receive", "--listen", f"127.0.0.1:{taken.port}")
    assert done.returncode == 2
    assert done.stderr == (
        f"otel-prw receive: it cannot listen on 127.0.0.1 port {taken.port}: Address already in use\n"
    )


def test_without_snappy_the_command_says_so(tmp_path):
    (tmp_path / "snappy.py").write_text("raise ImportError('no build for this Python')\n")
    done = run("receive", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr == (
        "otel-prw receive: it cannot run without protobuf and python-snappy: no build for this Python\n"
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--listen", "9009"], "'9009' is not HOST:PORT, nor :PORT"),
        (["--listen", "localhost"], "'localhost' is not HOST:PORT"),
        (["--listen", "localhost:http"], "'localhost:http' is not HOST:PORT"),
        (["--listen", "localhost:99999"], "'localhost:99999' is not HOST:PORT"),
        (["--listen", "http://localhost:1"], "'http://localhost:1' is not HOST:PORT"),
        (["--listen", "me@localhost:1"], "'me@localhost:1' is not HOST:PORT"),
        (["--listen", "[::1:1"], "'[::1:1' is not HOST:PORT"),
        (["--once", "0"], "'0' is not a number from 1"),
        (["--once", "many"], "'many' is not a number from 1"),
    ],
)
def test_wrong_argument_is_refused(arguments, complaint):
    done = run("receive", *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_receiver_listens_on_loopback_unless_told_otherwise():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args([]).listen == ("127.0.0.1", 9009)
    assert parser.parse_args(["--listen", ":80"]).listen == ("127.0.0.1", 80)
    assert parser.parse_args(["--listen", "0.0.0.0:80"]).listen == ("0.0.0.0", 80)
    assert parser.parse_args(["--listen", "[::1]:80"]).listen == ("::1", 80)


def test_version_and_help_are_printed():
    assert run("--version").stdout == f"otel-prw {version('opentelemetry-exporter-prometheus-remote-write')}\n"
    assert "receive" in run("--help").stdout
    assert run().returncode == 2
