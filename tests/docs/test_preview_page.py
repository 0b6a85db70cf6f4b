"""docs/how-to/preview.md: its commands run, and its table of limits is the code's."""

from __future__ import annotations

import re
import shlex

import pytest

from opentelemetry.exporter.prometheus_remote_write.diagnose.receiver_limits import PRESETS
from tests.application import run
from tests.docs.pages import SITE, blocks

PAGE = SITE / "how-to" / "preview.md"

COUNTS = "from opentelemetry import metrics\nmetrics.get_meter('shop').create_counter('orders').add(1)\n"


@pytest.mark.parametrize("command", [command for block in blocks(PAGE, "sh") for command in block.commands])
def test_command_of_the_page_runs(command, tmp_path):
    (tmp_path / "app.py").write_text(COUNTS)
    ended = run(*shlex.split(command), cwd=tmp_path, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="system_metrics")
    assert (ended.status, ended.errors) == (0, [])
    assert "orders_total" in ended.output


def test_table_of_limits_is_that_of_the_code():
    rows = re.findall(r"^\| `([a-z-]+)` \|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$", PAGE.read_text(), re.MULTILINE)
    numbers = {name: [re.sub(r"[^0-9]", "", cell) for cell in cells] for name, *cells in rows}
    expected = {
        name: [
            str(limit or "")
            for limit in (limits.labels, limits.label_name_length, limits.label_value_length, limits.series)
        ]
        for name, limits in PRESETS.items()
        if name != "none"
    }
    assert numbers == expected
