"""Which tests start a server or another process: read from their code, so that nobody has to mark them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import pytest

FOLDERS = {"benchmarks", "end_to_end", "receivers", "servers", "soak"}
"""Their subject is servers and other processes."""
_STARTING = {"subprocess", "multiprocessing", "fork", "posix_spawn", "ProcessPoolExecutor", "getfixturevalue"}
"""Names whose use starts a process; a fixture that is looked up by its name may do."""
_EVENTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"}
"""What the interpreter calls that when it audits it."""
_OURS = ("tests.", "examples.")

_guarded: list[str] = []
"""The test that runs and is believed to start nothing."""


def start_processes(item: pytest.Item) -> bool:
    """Return whether a test, one of its fixtures, or what they call in tests/ and examples/ starts a process."""
    if FOLDERS & {*item.path.relative_to(item.config.rootpath).parts}:
        return True
    fixtures = [each.func for found in item._fixtureinfo.name2fixturedefs.values() for each in found]  # type: ignore[attr-defined]
    return any(_starts(function) for function in (_plain(item.function), *fixtures))  # type: ignore[attr-defined]


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """The test inside hypothesis's wrapper."""
    return inspect.unwrap(getattr(getattr(function, "hypothesis", None), "inner_test", function))


@cache
def _starts(called: object) -> bool:
    seen: set[object] = set()
    waiting = [called]
    while waiting:
        current = inspect.unwrap(waiting.pop())  # type: ignore[arg-type]
        if id(current) in seen:
            continue
        seen.add(id(current))
        for function in _functions(current):
            names = {name for code in _codes(function.__code__) for name in code.co_names}
            if names & _STARTING:
                return True
            values = [function.__globals__.get(name) for name in names]
            waiting += [value for value in values if _is_ours(value)]
            # What a name of a module of ours leads to: installations.package
            modules = [value for value in values if inspect.ismodule(value) and value.__name__.startswith(_OURS)]
            waiting += [value for module in modules for name in names if _is_ours(value := getattr(module, name, None))]
    return False


def _functions(called: object) -> Iterator[FunctionType]:
    if isinstance(called, FunctionType):
        yield called
        yield from (
            cell.cell_contents for cell in called.__closure__ or () if isinstance(cell.cell_contents, FunctionType)
        )
    elif inspect.isclass(called):
        for member in (member for each in called.__mro__ if _is_ours(each) for member in vars(each).values()):
            function = getattr(member, "fget", None) or getattr(member, "__func__", member)
            if isinstance(function := inspect.unwrap(function), FunctionType):
                yield function


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _is_ours(value: object) -> bool:
    return (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__.startswith(_OURS)


def guard(test: str) -> None:
    """Fail what starts a process from now on: this test is believed to start none."""
    _guarded.append(test)


def unguard() -> None:
    """Let processes start again."""
    _guarded.clear()


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    if _guarded and event in _EVENTS:
        raise RuntimeError(f"{_guarded[0]} starts a process, and tests/processes.py does not see it in the code")


sys.addaudithook(_refuse)
