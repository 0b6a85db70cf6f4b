"""README.md's parts: `python -m tests.readme`, or `make docs`, writes the generated one anew."""

from __future__ import annotations

import re
from pathlib import Path

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import rows

README = Path(__file__).resolve().parents[1] / "README.md"
_GENERATED = re.compile(r"(?<=<!-- settings: written by `make docs` -->\n).*(?=<!-- /settings -->)", re.DOTALL)


def text():
    return README.read_text(encoding="utf-8")


def settings_table():
    """A line for each variable with its type, its default and its meaning."""
    lines = ["| variable | type | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| `{row.variable}` | {row.type.name} | {row.default} | {row.doc} |" for row in rows().values()]
    return "\n".join(lines) + "\n"


def with_settings(readme):
    """The text with the table of settings as the code has it."""
    written, count = _GENERATED.subn(lambda _: f"\n{settings_table()}\n", readme)
    assert count == 1, "README.md has no place for the table of settings"
    return written


def blocks(readme, language):
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)


def commands(readme):
    """The commands of all shell blocks, each on one line."""
    return [
        " ".join(line.split())
        for block in blocks(readme, "sh")
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip()
    ]


if __name__ == "__main__":
    README.write_text(with_settings(text()), encoding="utf-8")
