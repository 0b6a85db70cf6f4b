"""The image from which the Operator injects: what its Dockerfile installs, for both of C's libraries."""

from __future__ import annotations

import re
import stat
from importlib.metadata import distributions

from tests.end_to_end.conftest import OPERATOR


def test_packages_and_size_of_the_folder_are_those_of_the_readme(image):
    (listed,) = re.findall(
        r"<!-- packages -->(.*?)<!-- /packages -->", (OPERATOR.parent / "README.md").read_text(), re.DOTALL
    )
    normalised = {re.sub(r"[-_.]+", "-", found.name).lower() for found in distributions(path=[str(image)])}
    named = {name.replace("_", "-") for name in re.findall("`(.*?)`", listed)}
    assert normalised == named
    megabytes = sum(path.stat().st_size for path in image.rglob("*") if path.is_file()) / 1e6
    assert "less than 40 MB" in " ".join(listed.split())
    assert megabytes < 40


def test_everybody_may_read_the_folder(image):
    readable = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
    assert [path for path in image.rglob("*") if path.stat().st_mode & readable != readable] == []
