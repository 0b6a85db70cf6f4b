from collections import Counter

import pytest

from opentelemetry.exporter.prometheus_remote_write.delivery.log import DeliveryLog, Report
from opentelemetry.exporter.prometheus_remote_write.errors import Cause, Rejected, Retryable, Unsendable
from opentelemetry.exporter.prometheus_remote_write.model.outcome import Outcome

FINE = Report([], [], Counter({Outcome.ACCEPTED: 1}), 0)
AWAY = Retryable("it is away")


def outcome(*errors, bad_series=(), waiting=0, clock_set_back=0.0, **samples):
    counts = Counter({Outcome[name.upper()]: number for name, number in samples.items()})
    return Report(errors, bad_series, counts, waiting, clock_set_back)


@pytest.fixture
def said(caplog):
    """said((when, outcome), ...): the lines that a log says of them."""
    caplog.set_level("INFO")

    def say(*outcomes):
        log = DeliveryLog()
        for now, each in outcomes:
            log.report(each, now)
        assert not any(record.exc_info for record in caplog.records)
        return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]

    return say


def test_nothing_is_said_of_what_is_delivered(said):
    assert said((0, FINE), (60, FINE)) == []


def test_an_outage_is_a_line_a_minute_and_one_at_its_end(said):
    lasting = [(now, outcome(AWAY, waiting=now + 10)) for now in range(0, 300, 10)]
    assert said(*lasting, (300, FINE), (310, FINE)) == [
        *(f"WARNING Metrics were not delivered: it is away [{now + 10} samples wait to be retried]"
          for now in range(0, 300, 60)),
        "INFO Metrics are delivered again",
    ]  # fmt: skip


def test_what_was_counted_in_between_is_told_with_the_next_line(said):
    counts = "4 samples dropped (buffer full), 3 samples dropped (too old), 2 samples rejected"
    assert said(
        (0, outcome(AWAY, waiting=5)),
        (10, outcome(AWAY, waiting=5, rejected=2, too_old=3)),
        (20, outcome(AWAY, waiting=5, buffer_full=4)),
        (30, outcome(waiting=5)),
        (60, outcome(AWAY, waiting=5)),
        (70, outcome(AWAY, waiting=5, rejected=1)),
        (80, FINE),
    ) == [
        "WARNING Metrics were not delivered: it is away [5 samples wait to be retried]",
        f"WARNING Metrics were not delivered: it is away [{counts}, 5 samples wait to be retried]",
        "WARNING Metrics are delivered again [1 sample rejected]",
    ]


def test_each_kind_of_trouble_has_a_line(said):
    lines = said(
        (0, outcome(AWAY, Retryable("busy", status=503), Retryable("busy still", status=503))),
        (1, outcome(Rejected("not so", status=422))),
        (2, outcome(Unsendable("no certificate"))),
        (3, outcome(AWAY, Rejected("not so", status=422), Unsendable("no certificate"))),
    )
    assert [line.partition(" - ")[0] for line in lines] == [
        "WARNING Metrics were not delivered: it is away",
        "WARNING Metrics were not delivered: busy still",
        "WARNING Metrics were not delivered: not so",
        "ERROR Metrics were not delivered: no certificate",
    ]


def test_a_receiver_that_comes_and_goes_is_two_lines_a_minute(said):
    lines = said(*((now, outcome(AWAY) if now % 2 else FINE) for now in range(1, 240)))
    assert len(lines) == 8


def test_nothing_is_delivered_again_before_something_was(said):
    nothing = Report([], [], Counter(), 0)
    dropped = outcome(not_kept=3)
    assert len(said((0, outcome(AWAY)), (60, nothing), (120, dropped), (180, FINE))) == 2


def test_of_what_was_refused_in_part_the_log_says_so(said):
    (line,) = said((0, outcome(Rejected("not so", status=400), unknown=20)))
    assert line.endswith("[some of 20 samples were refused]")


def test_where_the_clock_was_set_back_that_is_told_first(said):
    late = Rejected("out of order sample", status=400, cause=Cause.OUT_OF_ORDER)
    (line,) = said((0, outcome(late, clock_set_back=3600.0)))
    assert "3600 s" in line
    assert "service.instance.id" not in line


def test_no_answers_can_flood_the_log(said):
    lines = said(*((now / 10, outcome(Rejected("x", status=400 + now % 200))) for now in range(1800)))
    assert len(lines) <= 40


def test_rejections_that_end_before_they_could_be_told_are_told(said):
    lines = said((0, outcome(AWAY)), (1, FINE), (2, outcome(AWAY, rejected=7)), (3, FINE), (62, FINE))
    assert lines[-1] == "WARNING Metrics are delivered again [7 samples rejected]"


def test_bad_series_are_named_once_and_in_one_line(said):
    bad = [(("__name__", name), ("path", "a\nb\x1b[31m\u2028")) for name in ("a", "b", "c\n", "d", "e")]
    error = Rejected("out of order", status=422)
    lines = said(
        (0, outcome(error, bad_series=bad[:4], rejected=4)),
        (1, outcome(error, bad_series=bad[4:], rejected=5)),
        (61, outcome(error, rejected=5)),
        (122, outcome(error, rejected=5)),
    )
    assert "refused series: a{path='a\\nb\\x1b[31m\\u2028'}, b{" in lines[0]
    assert "and 1 more]" in lines[0]
    assert "refused series: e{" in lines[1]
    assert "series:" not in lines[2]
    assert all(len(line.splitlines()) == 1 and line.isprintable() for line in lines)


def test_a_line_stays_short_however_long_labels_are(said):
    bad = [(("__name__", "n" * 5000), ("label", "x" * 5000))] * 100
    (line,) = said((0, outcome(Rejected("x", status=422), bad_series=bad)))
    assert len(line) < 1200


def test_what_is_lost_at_the_end_is_said(said):
    (line,) = said((0, outcome(at_exit=7)))
    assert line.startswith("WARNING Metrics are lost: ")
    assert line.endswith(" [7 samples dropped (at exit)]")


def test_where_nothing_can_be_sent_one_line_says_that_what_waits_is_lost_at_the_exit(said):
    (line,) = said((0, outcome(Unsendable("no certificate"), waiting=5)), (1, outcome(at_exit=5)))
    assert line.startswith("ERROR Metrics were not delivered: no certificate ")
    assert line.endswith(" [5 samples wait to be retried and will be lost at exit]")


def test_what_is_lost_beside_what_was_told_is_said_at_the_exit(said):
    trouble = outcome(Unsendable("no certificate"), waiting=5)
    *_, line = said((0, trouble), (1, outcome(Unsendable("no certificate"), waiting=12)), (2, outcome(at_exit=12)))
    assert line.endswith(" [12 samples dropped (at exit)]")
    *_, line = said((0, trouble), (1, outcome(AWAY, waiting=5)), (2, outcome(at_exit=5)))
    assert line.endswith(" [5 samples dropped (at exit)]")
