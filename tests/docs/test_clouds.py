"""docs/how-to/amazon.md, azure.md, grafana-cloud.md, oauth2.md: the exporter accepts each configuration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.contradictions import authentication_method
from opentelemetry.exporter.prometheus_remote_write.configuration.loading import load
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX
from tests.docs.pages import fenced

CHECKOUT = Path(__file__).resolve().parents[2]
WAYS = {"amazon": "sigv4", "azure": "azure", "grafana-cloud": "basic", "oauth2": "oauth2"}
PAGES = {name: (CHECKOUT / "docs" / "how-to" / f"{name}.md").read_text(encoding="utf-8") for name in WAYS}


@pytest.mark.parametrize(
    ("name", "block"),
    [
        pytest.param(name, block, id=f"{name} {number}")
        for name, page in PAGES.items()
        for number, block in enumerate(fenced(page, "sh"), 1)
    ],
)
def test_configuration_is_accepted_without_a_word(name, block):
    settings, problems = load({}, dict(line.split("=", 1) for line in block.splitlines()))
    assert (authentication_method(settings), problems) == (WAYS[name], [])


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_variable_and_extra_that_is_named_is_one_of_ours(page):
    for name in set(re.findall(rf"{PREFIX}\w+", page)):
        _, problems = load({}, {name: ""})
        assert [problem for problem in problems if "not a variable" in problem.message] == []
    project = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    (extras,) = re.findall(r"\[project.optional-dependencies\]\n(.*?)\n\[", project, re.DOTALL)
    assert {*re.findall(r"remote-write\[(\w+)\]", page)} <= {*re.findall(r"^(\w+) = ", extras, re.MULTILINE)}
