"""The site: `make site` builds it into docs/_build, with warnings as errors."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

DISTRIBUTION = metadata("opentelemetry-exporter-prometheus-remote-write")
REPOSITORY = dict(url.split(", ") for url in DISTRIBUTION.get_all("Project-URL"))["Repository"]

project = "OpenTelemetry Prometheus Remote Write exporter"
author = "The authors"
version = release = DISTRIBUTION["Version"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinxcontrib.mermaid"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = project
myst_heading_anchors = 3  # links to headings, as GitHub has them
myst_fence_as_directive = ["mermaid"]  # the fence that GitHub draws, too
autodoc_typehints = "description"
autodoc_member_order = "bysource"
suppress_warnings = ["misc.highlighting_failure"]  # a transcript is no language
nitpicky = False


def link_to_repository(app, docname, source):
    """Let links that leave docs/ lead to the repository: in an editor and on GitHub they are relative."""
    folder = Path(app.srcdir, docname).parent

    def absolute(match):
        target = (folder / match[1]).resolve()
        root = Path(app.srcdir).parent
        if target.is_relative_to(app.srcdir):
            return match[0]
        kind = "tree" if target.is_dir() else "blob"
        return f"]({REPOSITORY}/{kind}/main/{target.relative_to(root).as_posix()}{match[2] or ''})"

    source[0] = re.sub(r"\]\((\.\.[^)#\s]*)(#[^)\s]*)?\)", absolute, source[0])


def setup(app):
    """Tell Sphinx of the links."""
    app.connect("source-read", link_to_repository)
