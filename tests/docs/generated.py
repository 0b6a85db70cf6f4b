"""What of the pages is written from the code: `python -m tests.docs.generated`, or `make docs`, writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import rows
from opentelemetry.exporter.prometheus_remote_write.delivery import hints
from tests.docs.pages import README, SITE, text
from tests.end_to_end import frameworks

MOST_SET = (
    *("endpoint", "interval", "headers", "username", "password_file", "bearer_token_file", "certificate"),
    *("external_labels", "drop_metrics", "default_histogram_aggregation"),
)
"""The settings that README shows."""


def settings() -> str:
    """A line for each variable with its type, its default, its keyword where that has another name, and its meaning."""
    lines = ["| variable | type | default | meaning |", "| --- | --- | --- | --- |"]
    for row in rows().values():
        keyword = "" if row.keyword == row.variable.lower() else f" (keyword `{_shown(row.keyword)}`)"
        lines.append(f"| `{row.variable}` | {row.type.name} | {row.default} | {row.doc}{keyword} |")
    return _table(lines)


def most_set() -> str:
    """The same in short, for README."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{row.variable}` | {row.default} | {row.doc} |" for row in (rows()[name] for name in MOST_SET)]
    return _table(lines)


def of_frameworks() -> str:
    """How applications of each framework are started, and what else has to be set."""
    lines = ["| application | started by | what else has to be set | the interval in which it is ended |"]
    return _table([*lines, "| --- | --- | --- | --- |", *frameworks.rows()])


def of_causes() -> str:
    """What is added to a failed push, by its likely cause."""
    lines = ["| likely cause | the line ends with |", "| --- | --- |"]
    lines += [f"| {cause.value.replace('_', ' ')} | `{words}` |" for cause, words in hints._HINTS.items()]
    return _table(lines)


GENERATED = {
    (README, "settings"): most_set,
    (SITE / "reference" / "settings.md", "settings"): settings,
    (SITE / "how-to" / "launcher.md", "frameworks"): of_frameworks,
    (SITE / "reference" / "log-messages.md", "causes"): of_causes,
}


def current(page: Path, part: str) -> str:
    """The page with a part as the code has it now."""
    generated = GENERATED[page, part]()
    pattern = rf"(?<=<!-- {part}: written by `make docs` -->\n).*(?=<!-- /{part} -->)"
    written, count = re.subn(pattern, lambda _: f"\n{generated}\n", text(page), flags=re.DOTALL)
    assert count == 1, f"{page} has no place for {part}"
    return written


def _shown(keyword: str) -> str:
    mapping, _, key = keyword.partition(".")
    return f'{mapping}["{key}"]' if key else keyword


def _table(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for place, name in GENERATED:
        place.write_text(current(place, name), encoding="utf-8")
