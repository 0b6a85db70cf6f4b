"""What is written from the code is that of the code."""

from importlib.metadata import requires

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import rows
from tests.docs.generated import GENERATED, current, settings
from tests.docs.pages import README, name, text

DISTRIBUTION = "opentelemetry-exporter-prometheus-remote-write"


@pytest.mark.parametrize(
    ("page", "part"), [pytest.param(*place, id=f"{name(place[0])}: {place[1]}") for place in GENERATED]
)
def test_part_is_that_of_the_code(page, part):
    is_current = text(page) == current(page, part)
    assert is_current, "run make docs"


def test_settings_have_a_line_for_each_variable():
    head, rule, *lines = settings().splitlines()
    assert head == "| variable | type | default | meaning |"
    assert rule == "| --- | --- | --- | --- |"
    assert [line.split(" | ")[0] for line in lines] == [f"| `{row.variable}`" for row in rows().values()]
    assert all(line.count(" | ") == 3 for line in lines)
    assert "| `TIMEOUT` | milliseconds | 30000 | one HTTP request;" in settings()


def test_readme_names_the_oldest_sdk_that_is_allowed():
    (bound,) = {need.partition("~=")[2] for need in requires(DISTRIBUTION) if need.startswith("opentelemetry-sdk~=")}
    assert f"OpenTelemetry SDK {bound} or later" in " ".join(text(README).split())


def test_readme_fits_on_two_screens():
    assert len(text(README).splitlines()) <= 150
