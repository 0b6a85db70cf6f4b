"""The commands of docs/how-to/alerts.md write the files of examples/monitoring."""

from __future__ import annotations

from tests.application import run
from tests.docs.pages import SITE, blocks
from tests.examples.monitoring import MONITORING

PAGE = SITE / "how-to" / "alerts.md"
THROUGH_A_SHELL = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1], shell=True).returncode)"


def test_commands_write_what_the_example_holds(tmp_path):
    commands = [command for block in blocks(PAGE, "sh") for command in block.commands]
    for command in commands:
        ended = run("python", "-c", THROUGH_A_SHELL, command, cwd=tmp_path)
        assert (ended.status, ended.errors) == (0, [])
    written = sorted(path.name for path in tmp_path.iterdir() if path.suffix in {".json", ".yaml"})
    assert written == ["application.json", "exporter.json", "rules.yaml"]
    for name in written:
        assert (tmp_path / name).read_text(encoding="utf-8") == (MONITORING / name).read_text(encoding="utf-8")
