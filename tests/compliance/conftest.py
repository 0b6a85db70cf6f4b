"""Applications that push when a test says so, and the spans in which they measure."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from opentelemetry import trace
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.compliance.application import SPAN_ID, TRACE_ID, Application


@pytest.fixture(autouse=True)
def locks_of_its_own(monkeypatch, tmp_path):
    """No other test's application has the instance id."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def start_application():
    """start_application(answers=, endpoint=, views=, **settings): with a strict receiver of its own by default."""
    with ExitStack() as stack:

        def start(*, answers=(), endpoint=None, views=(), **settings):
            receiver = None if endpoint else stack.enter_context(Receiver(answers=answers))
            application = Application(receiver, endpoint or receiver.url, views, settings)
            stack.callback(application.shutdown)
            return application

        yield start


@pytest.fixture
def application(start_application):
    """One that pushes by 2.0 to a receiver that takes all that is right."""
    return start_application()


@pytest.fixture
def in_1_0(start_application):
    """One that pushes by 1.0."""
    return start_application(protocol="1.0")


@pytest.fixture
def in_span():
    """in_span(trace_id=, span_id=): what is recorded in this context becomes an exemplar."""

    @contextmanager
    def inside(trace_id=TRACE_ID, span_id=SPAN_ID):
        context = SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        with trace.use_span(NonRecordingSpan(context)):
            yield

    return inside
