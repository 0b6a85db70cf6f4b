"""The command of docs/how-to/jobs.md, run as it is written."""

from __future__ import annotations

import shlex

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.application import run
from tests.docs.pages import SITE, blocks

PAGE = SITE / "how-to" / "jobs.md"
IMPORT = "from opentelemetry import metrics\nmetrics.get_meter('import').create_counter('records').add(3)\n"


def test_the_job_of_the_page_is_pushed_with_what_it_measures(tmp_path):
    (tmp_path / "import.py").write_text(IMPORT)
    (block,) = blocks(PAGE, "sh")
    (command,) = block.commands
    with Receiver() as receiver:
        words = shlex.split(command.replace("http://localhost:9090/api/v1/write", receiver.url))
        ended = run(*words, cwd=tmp_path, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="system_metrics")
        assert (ended.status, ended.errors) == (0, [])
        assert {series.label("job") for series in receiver.series("records_total")} == {"nightly-import"}
        assert receiver.series("job_last_success_timestamp_seconds")
