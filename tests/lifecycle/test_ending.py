"""The last export of a process that leaves without the interpreter's exit."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.prometheus_remote_write.lifecycle.ending import flush, pushers
from tests.lifecycle.pushing import READERS


@pytest.mark.parametrize("make", READERS)
class TestFlush:
    def test_it_exports_what_was_counted_since(self, exporter, provide, make):
        provide(make(exporter)).get_meter("x").create_counter("c").add(3)
        flush(exporter)
        assert exporter.values() == {"c": [3]}
        assert exporter.exports[-1][1] <= 200
        assert exporter.cut == [pytest.approx(0.1, abs=0.05)]

    def test_ours_are_known_among_the_exporters(self, exporter, provide, make):
        provide(make(exporter))
        assert exporter in pushers()
