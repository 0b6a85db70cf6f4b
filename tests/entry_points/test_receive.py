"""`otel-prw` as people call it: a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from types import SimpleNamespace
from urllib.parse import urlsplit

import psutil
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
            assert hint.startswith("OTEL_EXPORTER_PRW_ENDPOINT=http://")
            assert process.stderr.readline() == f"page: {hint.partition('=')[2].removesuffix('api/v1/write')}\n"
            yield process, SimpleNamespace(url=hint.partition("=")[2])
        finally:
            process.kill()


def run(*arguments, env=None):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=30, env=os.environ | (env or {})
    )


def test_line_for_each_push_and_each_metric_is_printed_and_the_command_ends_after_enough():
    with receiving("--once", "2") as (process, receiver):
        assert post(receiver, request(series(samples=[sample(3.0)]))).status == 204
        assert post(receiver, request(series([("a", "1")]))).status == 400
        assert post(receiver, request(series(samples=[sample(5.5, NOW + 1)]))).status == 204
        out, err = process.communicate(timeout=60)
    lines = out.splitlines()
    assert lines[0].startswith("push 1: shop (1 process), protocol 1.0, 1 series, ")
    assert lines[1] == "  up  unknown, 1 series, 3"
    assert lines[3] == "  up  unknown, 1 series, 5.5"
    assert err == 'rejected with 400: there is no __name__ (series {a="1"})\n'
    assert process.returncode == 0


def test_json_is_all_that_stands_on_stdout():
    with receiving("--json", "--once", "2") as (process, receiver):
        post(receiver, request(series(samples=[sample(1.0), sample(2.0, NOW + 1)])))
        post(receiver, b"no snappy")
        post(receiver, request_2_0(series_2_0([1, 3])))
        out, err = process.communicate(timeout=60)
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
        out, err = process.communicate(timeout=60)
    assert out.splitlines()[-1] == "  up  unknown, 1 series, 1"
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
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == ""


def test_reader_that_leaves_ends_the_command_in_good_order():
    with receiving("--json") as (process, receiver):
        process.stdout.close()
        post(receiver, request(series()))
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""


def test_labels_that_the_output_cannot_encode_do_not_end_the_command():
    with receiving("--once", "1", env={"PYTHONIOENCODING": "ascii"}) as (process, receiver):
        post(receiver, request(series([("__name__", "up"), ("job", "Zürich")])))
        out, _ = process.communicate(timeout=60)
    assert r"Z\xfcrich" in out
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_command_though_nobody_reads_its_output(number):
    with receiving("--json") as (process, receiver):
        many = [series([("__name__", f"metric_{number}")]) for number in range(5000)]
        assert post(receiver, request(*many)).status == 204
        process.send_signal(number)
        assert process.wait(timeout=60) == 0


def test_memory_does_not_grow_with_what_nobody_reads():
    def push(receiver, times):
        for at in times:
            many = [series([("__name__", f"metric_{number}")], [sample(1.0, NOW + at)]) for number in range(1000)]
            assert post(receiver, request(*many)).status == 204

    with receiving("--json") as (process, receiver):
        push(receiver, range(80))  # 8 MB of JSON; from here on everything is as full as it gets
        early = psutil.Process(process.pid).memory_info().rss
        push(receiver, range(80, 240))
        assert psutil.Process(process.pid).memory_info().rss < early + 4_000_000
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_what_was_not_printed_is_counted_once_somebody_reads_again():
    with receiving("--json") as (process, receiver):
        for at in range(12):
            many = [series([("__name__", f"metric_{number}")], [sample(1.0, NOW + at)]) for number in range(5000)]
            post(receiver, request(*many))
        read = threading.Thread(target=lambda: [None for _ in process.stdout])
        read.start()
        assert process.stderr.readline().startswith("otel-prw receive: its output was not read, so ")
        process.send_signal(signal.SIGINT)
        read.join()
        assert process.wait(timeout=60) == 0


def test_memory_does_not_grow_with_series_that_come_and_go():
    def churn(receiver, begin):
        for number in range(begin, begin + 30):
            churned = [
                series([("__name__", "requests"), ("session", f"{number}-{each}")], [sample(1.0, NOW + number)])
                for each in range(1000)
            ]
            assert post(receiver, request(*churned)).status == 204

    with receiving("--keep-series", "1000") as (process, receiver):
        drain = threading.Thread(target=lambda: [None for _ in process.stdout])
        drain.start()
        churn(receiver, 0)
        early = psutil.Process(process.pid).memory_info().rss
        churn(receiver, 30)
        # 30,000 series of 540 bytes were 16 MB; what is left is the newest timestamp of each, up to a bound.
        assert psutil.Process(process.pid).memory_info().rss < early + 6_000_000
        process.kill()
        drain.join()


def test_interrupt_ends_the_command_while_a_thousand_connections_are_open():
    with receiving() as (process, receiver), ExitStack() as stack:
        port = int(urlsplit(receiver.url).port)
        for number in range(1000):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            if number % 2:
                with suppress(OSError):  # one too many was turned away
                    client.sendall(b"POST /api/v1/write HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("listen", "warns"), [("0.0.0.0:0", True), ("0:0", True), ("127.0.0.1:0", False), ("localhost:0", False)]
)
def test_listening_beyond_loopback_is_warned_of(listen, warns):
    with receiving("--listen", listen) as (process, receiver):
        if warns:
            assert process.stderr.readline().startswith(f"otel-prw receive: warning: listening on {listen[:-2]}: ")
        assert post(receiver, request(series())).status == 204
        process.send_signal(signal.SIGINT)
        assert "warning" not in process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert receiver.url.startswith("http://localhost" if listen.startswith("localhost") else "http://127.0.0.1")


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
        (["--keep-series", "0"], "'0' is not a number from 1"),
        (["--keep", "soon"], "'soon' is not a time such as 90s, 15m or 1h"),
        (["--keep", "0"], "'0' is not a time"),
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


def test_series_and_points_are_kept_within_bounds_that_can_be_told():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert (parser.parse_args([]).keep_series, parser.parse_args([]).keep) == (20_000, 900)
    told = parser.parse_args(["--keep-series", "7", "--keep", "90s"])
    assert (told.keep_series, told.keep) == (7, 90)
    assert [parser.parse_args(["--keep", text]).keep for text in ("2m", "1h", "5")] == [120, 3600, 5]


def test_version_and_help_are_printed():
    assert run("--version").stdout == f"otel-prw {version('opentelemetry-exporter-prometheus-remote-write')}\n"
    assert "receive" in run("--help").stdout
    assert run().returncode == 2
