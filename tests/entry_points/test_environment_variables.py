"""The module that the launcher makes flags of."""

from __future__ import annotations

import ast
from pathlib import Path

from opentelemetry.exporter.prometheus_remote_write import environment_variables
from opentelemetry.exporter.prometheus_remote_write.configuration.settings import rows, variable
from tests.application import LAUNCHER, run

STATEMENTS = ast.parse(Path(environment_variables.__file__).read_text(encoding="utf-8")).body


def test_it_has_every_variable_of_the_table_in_its_order():
    names = [name for name in vars(environment_variables) if not name.startswith("__")]
    assert names == [variable(name) for name in rows()]


def test_each_name_is_its_own_value():
    assert all(getattr(environment_variables, variable(name)) == variable(name) for name in rows())


def test_it_imports_nothing_and_does_nothing():
    docstring, *assignments = STATEMENTS
    assert isinstance(docstring, ast.Expr)
    assert {type(statement) for statement in assignments} == {ast.Assign}
    assert {type(statement.value) for statement in assignments} == {ast.Constant}


def test_launcher_has_a_flag_for_each_beside_those_of_everybody_else(tmp_path):
    ended = run(LAUNCHER, "--help", cwd=tmp_path)
    assert (ended.status, ended.errors) == (0, [])
    flags = ended.output.split()
    assert all(flags.count(f"--exporter_prw_{row.variable.lower()}") == 1 for row in rows().values())
    assert "--metric_export_interval" in flags
