"""No link of any page is dead, as far as it leads into the repository; the rest leads to a URL."""

from __future__ import annotations

from importlib.metadata import metadata

import pytest

from tests.docs.pages import CHECKOUT, PAGES, README, anchors, links, name

REPOSITORY = dict(
    url.split(", ") for url in metadata("opentelemetry-exporter-prometheus-remote-write").get_all("Project-URL")
)["Repository"]
WITHIN = f"{REPOSITORY}/blob/main/"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page):
    for link in links(page):
        if link.startswith(("http://", "https://")) and not link.startswith(WITHIN):
            continue
        path, _, fragment = link.removeprefix(WITHIN).partition("#")
        target = (CHECKOUT if link.startswith(WITHIN) else page.parent) / path if path else page
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


def test_readme_reads_anywhere():
    """On a package index no relative link leads anywhere."""
    assert [link for link in links(README) if not link.startswith("https://")] == []
