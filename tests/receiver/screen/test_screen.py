"""The screen of `otel-prw receive`, seen on a pseudo terminal."""

from __future__ import annotations

import re
import signal
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tests.receiver.messages import post, request, sample, series
from tests.receiver.screen.terminal import Terminal

COMMAND = [sys.executable, "-m", "opentelemetry_prometheus_remote_write.command", "receive", "--listen", "127.0.0.1:0"]
TARGET = {"job": "shop", "instance": "a"}
DURATION = "http_server_request_duration_seconds"


@contextmanager
def screen(*arguments, **options):
    """Run the receiver on a terminal; yields the terminal and, once it listens, something that `post` can send to."""
    with Terminal([*COMMAND, *arguments], **options) as terminal:
        url = terminal.process.stderr.readline().rstrip().partition("=")[2]
        assert terminal.process.stderr.readline().startswith("page: http://127.0.0.1:")
        yield terminal, SimpleNamespace(url=url)


def one(name, value, at, **labels):
    return series(sorted({"__name__": name, **TARGET, **labels}.items()), [sample(value, at)])


def duration(route, counts, at):
    bounds = ("0.01", "0.1", "1.0", "+Inf")
    return [
        *(
            one(f"{DURATION}_bucket", count, at, http_route=route, le=le)
            for le, count in zip(bounds, counts, strict=True)
        ),
        one(f"{DURATION}_count", counts[-1], at, http_route=route),
        one(f"{DURATION}_sum", counts[-1] / 20, at, http_route=route),
    ]


def shop(receiver, *steps):
    """Push exports that are two seconds apart, the last one now; each is the number of requests of the shop so far."""
    now = round(time.time() * 1000)
    for number, requests in enumerate(steps):
        at = now - 2000 * (len(steps) - 1 - number)
        message = request(
            *duration("/checkout", (0, requests, requests, requests), at),
            *duration("/", (requests // 2, requests // 2, requests // 2, requests // 2), at),
            one("orders_total", requests / 4, at, kind="book"),
            one("queue_depth", 3.0, at),
            one("target_info", 1.0, at, service_version="1.2.3"),
        )
        assert post(receiver, message).status == 204


def test_each_metric_is_one_row_with_rate_quantiles_and_trend():
    with screen() as (terminal, receiver):
        terminal.wait_for(f"OTEL_EXPORTER_PRW_ENDPOINT={receiver.url}")
        shop(receiver, 0, 40, 80)
        text = terminal.wait_for_lines(
            r"^ shop 1 process · 15 series · last push \d s ago",
            rf"^{DURATION} hist +12 +30/s +32.5 ms +9\S+ ms +\S",
            r"^orders_total +count +1 +5/s +\S+$",
            r"^queue_depth +\S+ +1 +3 +\S+$",
            "^ / filter  s sort  Enter open  Tab targets",
        )
    assert "target_info" not in text
    assert "_bucket" not in text


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (160, 50)])
@pytest.mark.parametrize("number", [5, 100, 2000])
def test_screen_fits_however_many_series_there_are(columns, lines, number):
    with screen(columns=columns, lines=lines) as (terminal, receiver):
        now = round(time.time() * 1000)
        for step in range(2):
            at = now - 2000 + 2000 * step
            many = [
                one(f"a_long_name_of_metric_{each // 5:03}_total", 10.0 * step, at, route=f"/{each % 5}")
                for each in range(number)
            ]
            assert post(receiver, request(*many)).status == 204
        row = re.compile(r"^a_long_name_of_metric_\d{3}_total +count +5 +25/s +\S", re.MULTILINE)
        shown = min(number // 5, lines - 3)
        terminal.wait_for(
            lambda text: f"{number:,} series" in text and "/ filter" in text and len(row.findall(text)) == shown
        )
        terminal.type("\x1b[F")  # End
        terminal.wait_for(f"metric_{number // 5 - 1:03}_total")


def test_metric_opens_as_streams_with_the_labels_that_differ_and_its_buckets_as_bars():
    with screen() as (terminal, receiver):
        shop(receiver, 0, 40, 80)
        terminal.wait_for(DURATION)
        terminal.type("\r")
        text = terminal.wait_for_lines(
            "LABELS",
            r'^http_route="/" +40 +10/s +5 ms +9.5 ms',
            r'^http_route="/checkout" +80 +20/s',
            "≤ 10 ms  ██████████████████████████████ 40",
        )
        assert 'job="shop"' not in text
        terminal.type("\x1b")
        terminal.wait_for("orders_total")


def test_filter_sort_and_the_targets():
    with screen() as (terminal, receiver):
        shop(receiver, 0, 40, 80)
        terminal.wait_for("queue_depth")
        terminal.type("/")
        terminal.wait_for("part of a name")
        terminal.type("orders")
        terminal.wait_for(lambda text: "orders_total" in text and "queue_depth" not in text)
        terminal.type("\x1b")
        terminal.wait_for("queue_depth")
        terminal.type("s")
        terminal.wait_for("sorted by series")
        terminal.type("s")
        terminal.wait_for_lines("sorted by rate", rf"(?s){DURATION}.*orders_total.*queue_depth")
        terminal.type("\t")
        terminal.wait_for_lines("TARGET INFO", r'^shop +a +3 +\d s +service_version="1.2.3"')
        terminal.type("\t")
        terminal.wait_for("orders_total")


def test_keys_that_come_at_once_are_all_for_the_filter():
    """As they do over a slow connection, or where somebody pastes a name."""
    with screen() as (terminal, receiver):
        shop(receiver, 0, 40, 80)
        terminal.wait_for("queue_depth")
        terminal.type("/orders")
        terminal.wait_for(lambda text: "orders_total" in text and "queue_depth" not in text)
        terminal.type("/")
        terminal.wait_for("orders/")


def test_figure_has_as_many_digits_as_there_is_room_for():
    figures = {
        "memory_bytes": ([54_630_000.0], "52 MiB"),
        "memory_of_all_bytes": ([1_460_000_000.0, 54_630_000_000.0], "≤51 GiB"),
        "cpu_ratio": ([0.0, 0.0834], "≤8.34 %"),
        "connections": ([1.0, 599.0], "≤599"),
        "waited_seconds": ([284.4], "4.7 min"),
        "requests_total": ([0.0384], "0.019/s"),
    }
    now = round(time.time() * 1000)
    with screen() as (terminal, receiver):
        for at, factor in ((now - 2000, 0.0), (now, 1.0)):
            pushed = [
                one(name, value * factor, at, one=str(number))
                for name, (values, _) in figures.items()
                for number, value in enumerate(values)
            ]
            assert post(receiver, request(*pushed)).status == 204
        terminal.wait_for_lines(*(rf"^{name} +\S+ +\d+ +{re.escape(text)} " for name, (_, text) in figures.items()))


def test_rejections_are_counted_and_shown_with_their_reasons():
    with screen() as (terminal, receiver):
        assert post(receiver, request(series([("a", "\x1b[2J\x1b]0;x\x07")]))).status == 400
        terminal.wait_for("1 rejected (r)")
        terminal.type("r")
        terminal.wait_for_lines("REASON", r"400 +there is no __name__ \(series {a=")
        assert b"\x1b]0;x" not in terminal.written


def test_what_has_stopped_turns_grey():
    with screen() as (terminal, receiver):
        now = round(time.time() * 1000)
        for step in range(3):
            kept = [one("kept_total", 10.0 * step, now - 4000 + 2000 * step)]
            left = [one("left_out_total", 1.0, now - 4000)] if not step else []
            assert post(receiver, request(*kept, *left)).status == 204
        terminal.wait_for(lambda text: re.search(r"left_out_total +count +1 +0/s", text))
        assert terminal.color_of("left_out_total") != terminal.color_of("kept_total")


def test_screen_follows_the_size_of_the_terminal():
    with screen() as (terminal, receiver):
        shop(receiver, 0, 40)
        terminal.wait_for("queue_depth")
        terminal.resize(120, 30)
        terminal.wait_for(lambda text: max(map(len, text.splitlines())) > 100)
        terminal.resize(60, 12)
        terminal.wait_for(lambda text: "…" in text and max(map(len, text.splitlines())) <= 60)


@pytest.mark.parametrize("end", ["key", "Ctrl-C", signal.SIGINT, signal.SIGTERM])
def test_end_leaves_the_terminal_as_it_was(end):
    with screen() as (terminal, receiver):
        shop(receiver, 0, 40)
        terminal.wait_for("queue_depth")
        if isinstance(end, str):
            terminal.type({"key": "q", "Ctrl-C": "\x03"}[end])
        else:
            terminal.process.send_signal(end)
        assert terminal.process.wait(60) == 0
        assert terminal.process.stderr.read() == ""
    begin, _, rest = terminal.written.partition(b"\x1b[?1049h")
    assert not begin
    drawn, _, after = rest.rpartition(b"\x1b[?1049l")
    assert b"queue_depth" in drawn
    assert b"\x1b[?25h" in after  # the cursor is back
    assert not re.sub(rb"\x1b\[[0-9;?<>]*[a-z]", b"", after)


def test_once_ends_the_screen():
    with screen("--once", "2") as (terminal, receiver):
        shop(receiver, 0, 40)
        assert terminal.process.wait(60) == 0


def test_without_the_extra_there_are_plain_lines(tmp_path):
    (tmp_path / "textual.py").write_text("raise ImportError('not installed')\n")
    command = [*COMMAND, "--once", "1"]
    with Terminal(command, env={"PYTHONPATH": str(tmp_path)}) as terminal:
        url = terminal.process.stderr.readline().rstrip().partition("=")[2]
        assert terminal.process.stderr.readline().startswith("page: ")
        assert "the extra `tui`" in terminal.process.stderr.readline()
        shop(SimpleNamespace(url=url), 40)
        terminal.wait_for("  queue_depth")
        assert terminal.process.wait(60) == 0
    assert b"\x1b" not in terminal.written


def test_nothing_is_coloured_where_that_is_not_wanted():
    with screen(env={"NO_COLOR": "1"}) as (terminal, receiver):
        shop(receiver, 0, 40)
        terminal.wait_for("queue_depth")
    colors = {tuple(map(int, each.split(b";"))) for each in re.findall(rb"\x1b\[[34]8;2;([0-9;]+)m", terminal.written)}
    assert all(red == green == blue for red, green, blue, *_ in (each for each in colors if len(each) == 3))
