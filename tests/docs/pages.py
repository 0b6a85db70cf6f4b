"""The pages: README.md, docs/, and what is read in the repository beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[2]
README = CHECKOUT / "README.md"
SITE = CHECKOUT / "docs"
MANUAL = [README, *sorted(path for path in SITE.rglob("*.md") if "_build" not in path.parts)]
PAGES = [
    *MANUAL,
    *(CHECKOUT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((CHECKOUT / "examples").rglob("README.md")),
    *sorted((CHECKOUT / "tests").rglob("README.md")),
]


class Block(NamedTuple):
    """A fenced block."""

    page: Path
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """What a block of shell runs, each command on one line; the assignments of variables alone are none."""
        lines = (" ".join(line.split()) for line in self.text.replace("\\\n", " ").splitlines())
        return [line for line in lines if line and not line.startswith("#") and not _ASSIGNMENT.fullmatch(line)]

    @property
    def variables(self) -> dict[str, str]:
        """What a block assigns that runs nothing."""
        return {} if self.commands else dict(line.split("=", 1) for line in self.text.splitlines() if "=" in line)


_ASSIGNMENT = re.compile(r"[A-Z_0-9]+=\S*")


def text(page: Path = README) -> str:
    """The text of a page."""
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    """The page as the repository knows it."""
    return page.relative_to(CHECKOUT).as_posix()


def blocks(page: Path, language: str) -> list[Block]:
    """The fenced blocks of a language."""
    return [Block(page, language, body) for body in fenced(text(page), language)]


def fenced(markdown: str, language: str) -> list[str]:
    """The bodies of fenced blocks, those inside a list included."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", markdown, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def anchors(page: Path) -> set[str]:
    """The fragments by which headings are linked, as GitHub and the site make them."""
    without_code = re.sub(r"^( *)```.*?^\1```$", "", text(page), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    """The targets of all links."""
    without_code = re.sub(r"`[^`\n]*`", "", text(page))
    found = re.finditer(r"\]\((?P<inline>[^)\s]+)\)|^\[[^\]]+\]: (?P<reference>\S+)$", without_code, re.MULTILINE)
    return [match["inline"] or match["reference"] for match in found]
