"""Whatever the protocol lets pass can be kept and shown: in lines, on the screen and on the page."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Exemplar, Span
from opentelemetry.exporter.prometheus_remote_write.receiver import Histogram, ReceivedMetadata, Sample, Series
from opentelemetry.exporter.prometheus_remote_write.receiver.json_lines import json_lines
from opentelemetry.exporter.prometheus_remote_write.receiver.lines import push_lines
from opentelemetry.exporter.prometheus_remote_write.receiver.page import Page
from opentelemetry.exporter.prometheus_remote_write.receiver.screen import views
from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store
from tests.receiver.messages import NOW
from tests.receiver.pushes import Clock, push

names = st.sampled_from(
    ["up", "up_bucket", "up_sum", "up_count", "up_total", "target_info", "_bucket", "_sum"]
) | st.text(min_size=1, max_size=5)
values = st.floats() | st.sampled_from([0.0, 1.0, 1e308, -1e308])
label_values = st.sampled_from(["1", "+Inf", "NaN", "x", "<b>"]) | st.text(min_size=1, max_size=5)
labels = st.dictionaries(st.sampled_from(["le", "job", "instance", "route", "otel_scope_name"]), label_values)
label_sets = st.builds(lambda name, rest: tuple(sorted({"__name__": name, **rest}.items())), names, labels)
metadata = st.none() | st.builds(
    ReceivedMetadata,
    st.sampled_from(["counter", "gauge", "histogram", "summary", "unknown", "info"]),
    st.text(),
    st.text(),
)
counts = st.integers(0, 2**63 - 1) | st.floats(0, 1e300)
spans = st.lists(st.builds(Span, st.integers(0, 2**31 - 1), st.integers(1, 3)), max_size=3).map(tuple)
exemplars = st.lists(
    st.builds(Exemplar, st.just((("trace_id", "ab"),)), st.floats(), st.integers(NOW, NOW + 9)), max_size=2
).map(tuple)


@st.composite
def histograms(draw, time):
    custom = draw(st.booleans())
    positive, negative = draw(spans), () if custom else draw(spans)

    def filled(side):
        return tuple(draw(counts) for span in side for _ in range(span.length))

    bounds = tuple(sorted(draw(st.sets(st.floats(-1e300, 1e300), max_size=4))))
    if custom:
        positive = (Span(0, len(bounds) + 1),)
    return Histogram(
        time,
        draw(counts),
        draw(st.floats()),
        -53 if custom else draw(st.integers(-4, 8)),
        zero_threshold=0.0 if custom else draw(st.floats(0, 1)),
        zero_count=0 if custom else draw(counts),
        negative_spans=negative,
        negative_counts=filled(negative),
        positive_spans=positive,
        positive_counts=filled(positive),
        custom_bounds=bounds if custom else (),
    )


@st.composite
def pushes(draw):
    made = []
    for number in range(draw(st.integers(1, 4))):
        time = NOW + 2000 * number
        all_series = []
        for pairs in draw(st.lists(label_sets, min_size=1, max_size=4, unique=True)):
            said, shown = draw(metadata), draw(exemplars)
            if draw(st.booleans()):
                all_series.append(Series(pairs, (Sample(draw(values), time),), (), shown, said))
            else:
                all_series.append(Series(pairs, (), (draw(histograms(time)),), shown, said))
        made.append(push(*all_series, protocol="2.0"))
    return made


@given(pushes(), st.integers(1, 20))
def test_whatever_is_taken_in_can_be_shown(all_pushes, keep_series):
    clock = Clock()
    store = Store(keep_series, clock=clock)
    page = Page(store)
    for each in all_pushes:
        store(each)
        assert all(line.isprintable() for line in push_lines(store, each))
        assert list(json_lines(each))
        clock.now += 2
    for order in views.ORDERS:
        rows = views.metric_rows(store, "", order)
    for row in rows:
        family, found = views.found_streams(store, row.key)
        assert views.stream_rows(found, family, "")
        assert [views.bars(stream, "seconds") for stream in found]
        [where, *_] = [*found[0].labels, ("a", "b")]
        for wanted in ({}, {"where": "=".join(where)}):
            answer = page.get(f"/view/metric?{urlencode({'name': row.key, **wanted}, errors='replace')}")
            assert answer is None or json.loads(answer.body)["name"] == row.key
    assert views.target_rows(store)
    assert views.title(store)
    assert json.loads(page.get("/view/metrics").body)
    assert json.loads(page.get("/view/senders").body)
