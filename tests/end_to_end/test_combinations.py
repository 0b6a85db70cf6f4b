"""Who is chosen in each combination of what is installed, what is set and how an application is started."""

from __future__ import annotations

import pytest

from tests.combinations import CASES, INSTALLED, OURS, PAGE, Case, measure, page
from tests.end_to_end.test_launcher import READS_FILES, reads_files

NOT_READ = "OTEL_CONFIG_FILE is ignored: it needs opentelemetry-sdk 1.44 or later; the other variables apply"
pytestmark = pytest.mark.timeout(300)  # the first test runs all 45 processes


@pytest.fixture(scope="module")
def outcomes(ours, tmp_path_factory):
    return measure(ours, tmp_path_factory.mktemp("combinations"))


@reads_files
def test_page_says_what_is_measured(outcomes):
    is_current = PAGE.read_text(encoding="utf-8").startswith(page(outcomes))
    assert is_current, "run make combinations"


@pytest.mark.parametrize("started", ["launcher", "injection", "code"])
@pytest.mark.parametrize("installed", INSTALLED)
def test_our_distro_is_chosen_where_it_is_named_and_nothing_is_said(outcomes, installed, started):
    assert outcomes[Case(installed, "OTEL_PYTHON_DISTRO", started)] == (OURS, OURS, True, ())


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=", ".join(case)) for case in CASES if case.installed == "alone"]
)
def test_where_only_our_package_is_installed_metrics_arrive_whatever_is_set(outcomes, case):
    said = () if READS_FILES or case.variable != "OTEL_CONFIG_FILE" else (NOT_READ,)
    assert outcomes[case] == (OURS, OURS, True, said)


@reads_files
def test_whatever_is_chosen_a_file_that_names_the_exporter_is_enough(outcomes):
    assert all(outcome.arrived for case, outcome in outcomes.items() if case.variable == "OTEL_CONFIG_FILE")
