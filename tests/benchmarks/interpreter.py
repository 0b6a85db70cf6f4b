"""An object in a fresh interpreter: of another environment, with memory of its own, and warm only as far as we want.

The object's class is imported there by its name; arguments and results travel as JSON, a line each.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]


class Interpreter:
    """A process with one object, whose methods can be called from here.

    Args:
        python: The interpreter to start.
        made_of: The object's class.
        arguments: Of the class, as JSON knows them.
    """

    def __init__(self, python: str, made_of: type, *arguments: Any) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "tests.benchmarks.interpreter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env=environment(),
        )
        self._ask(made_of.__module__, made_of.__qualname__, arguments)

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method of the object and return its result."""
        return self._ask(method, arguments)

    def __enter__(self) -> Interpreter:  # noqa: PYI034 - Self is not in Python 3.10
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _ask(self, *question: Any) -> Any:
        try:
            print(json.dumps(question), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._process.wait()
            raise RuntimeError(f"{question} failed in its process; what is above says why")
        return json.loads(answer)


def environment(**more: str) -> dict[str, str]:
    """Return our environment, but for what would configure OpenTelemetry, with the same hashes in every process."""
    ours = {name: text for name, text in os.environ.items() if not name.startswith(("OTEL_", "PYTHON"))}
    return ours | {"PYTHONHASHSEED": "0"} | more


def main() -> None:
    """Make the object that the first line names, and answer calls until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr  # answers only
    module, name, arguments = json.loads(sys.stdin.readline())
    made = getattr(importlib.import_module(module), name)(*arguments)
    print("null", file=answers, flush=True)
    for line in sys.stdin:
        method, arguments = json.loads(line)
        print(json.dumps(getattr(made, method)(**arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main()
