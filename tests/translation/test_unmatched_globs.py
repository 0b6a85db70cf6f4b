"""Globs that match nothing for an hour are told once."""

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import Settings
from opentelemetry.exporter.prometheus_remote_write.translation.unmatched_globs import UnmatchedGlobs

HOUR = 3600.0


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def globs(clock, **settings):
    return UnmatchedGlobs(Settings(**settings), clock)


def test_after_an_hour_globs_that_matched_nothing_are_told_once(clock, caplog):
    unmatched = globs(clock, drop_metrics=("http.*", "proces.*"), resource_labels=("k8s.*", "!host.*", "cloud.*"))
    unmatched.note_metrics(["http.server.duration"])
    unmatched.note_attributes(["k8s.pod.name", "host.name"])
    unmatched.log()
    assert caplog.messages == []
    clock.now = HOUR
    unmatched.log()
    unmatched.log()
    assert [message.partition(";")[0] for message in caplog.messages] == [
        "OTEL_EXPORTER_PRW_DROP_METRICS: no name has matched 'proces.*' for an hour",
        "OTEL_EXPORTER_PRW_RESOURCE_LABELS: no name has matched 'cloud.*' for an hour",
    ]


def test_what_matches_late_was_not_misspelled(clock, caplog):
    unmatched = globs(clock, drop_metrics=("jobs.*",))
    clock.now = HOUR - 1
    unmatched.note_metrics(["jobs.run"])
    clock.now = HOUR
    unmatched.log()
    unmatched.note_metrics(["other"])
    assert caplog.messages == []


def test_without_globs_nothing_is_said(clock, caplog):
    unmatched = globs(clock)
    clock.now = HOUR
    unmatched.log()
    assert caplog.messages == []
