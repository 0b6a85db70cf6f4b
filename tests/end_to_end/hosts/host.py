"""A host: a way in which applications are run, as data; what is done with it, and what becomes of its counts."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Requests:
    """Send so many HTTP requests, one after the other."""

    count: int = 10


@dataclass(frozen=True)
class Tasks:
    """Have the host's client hand over so many tasks, and wait until they are done."""

    count: int = 5


@dataclass(frozen=True)
class Lines:
    """Write so many lines to its standard input, and wait until each has been counted."""

    count: int = 5


@dataclass(frozen=True)
class Arrive:
    """Wait until everything that has been counted has arrived, by exports of whole intervals."""


@dataclass(frozen=True)
class Signal:
    """Send a signal to its first process, and wait for what it then says."""

    number: int
    says: str


@dataclass(frozen=True)
class Settle:
    """Wait until for each worker that has left, as it says, another one has come, beside those of the start."""

    leaves: str
    comes: str


@dataclass(frozen=True)
class Freeze:
    """Stop all of its processes for so many seconds, as Lambda does between two calls."""

    seconds: float


@dataclass(frozen=True)
class End:
    """Let it end: by a signal to its first process, or without one when its standard input is closed."""

    number: int | None = signal.SIGTERM


Step = Requests | Tasks | Lines | Arrive | Signal | Settle | Freeze | End

STARTS_PROGRAMS = 63
"""Since then the launcher also instruments programs that the application starts, such as spawned workers."""

GEVENT_UNDONE = r"Exception ignored in: <function _removeHandlerRef[^\0]{1,900}?'NoneType' object is not callable"
"""What it says at its end, also where nothing is exported: logging is undone after gevent."""

SERVES = (Requests(), Arrive(), Requests(), End())
WORKS = (Tasks(), Arrive(), Tasks(), End())
RUNS = (End(None),)


@dataclass(frozen=True, eq=False)  # two rows are never the same
class Host:
    """One row.

    Args:
        name: Of the host, as in the table.
        kind: How it is run, as in the table.
        command: A command of the tests' virtual environment and its arguments; {port} and {folder} are filled in.
        steps: What is done with it; the last one lets it end.
        ready: A pattern of what it says when it is ready; what its group matches is the address of a server.
        client: The arguments of the Python that hands over tasks; their number is added.
        variables: What it needs in its environment beside what all have.
        since: The version N of opentelemetry-instrumentation 0.N whose launcher does what the row needs.
        needs: Modules that have no build for every Python, or parts such as "redis".
        to_set: What its users have to set beside the endpoint, as in the table.
        workers: How many of its processes have to answer requests in each step.
        instances: How many instances there are at most.
        status: Its exit status; None where that tells nothing.
        pid_file: Where a daemon, which leads a session of its own, writes its process id.
        lingers: Seconds that it may take to end by itself, beside what is promised.
        delay: Seconds that the receiver takes for each answer.
        tells_whole: Whether all of whole intervals arrives.
        tells_last: Whether the interval in which it ends arrives.
        noise: Patterns of what it says itself, also where nothing is exported.
        because: Why it does not tell, and what makes it possible, as in the table.
    """

    name: str
    kind: str
    command: tuple[str, ...]
    steps: tuple[Step, ...]
    ready: str = ""
    client: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    since: int = 0
    needs: tuple[str, ...] = ()
    to_set: str = "nothing"
    workers: int = 1
    instances: int = 1
    status: int | None = 0
    pid_file: str = ""
    lingers: float = 0
    delay: float = 0
    tells_whole: bool = True
    tells_last: bool = True
    noise: tuple[str, ...] = ()
    because: str = ""

    def __str__(self) -> str:
        return f"{self.name}, {self.kind}" if self.kind else self.name


@dataclass(frozen=True)
class Outcome:
    """What became of a host's counts.

    Args:
        tells_whole: Whether all of whole intervals arrived exactly once.
        tells_last: Whether all that was counted in the last interval arrived exactly once.
        seconds: How long the end took.
        faults: Sentences about what must not be: hangs, tracebacks, two writers of one series.
        log: What it said.
    """

    tells_whole: bool
    tells_last: bool
    seconds: float
    faults: tuple[str, ...]
    log: str
