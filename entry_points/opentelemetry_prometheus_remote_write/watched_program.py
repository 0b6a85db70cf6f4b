"""A program that runs beside us for a while, and what it says on stderr."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from types import FrameType

_TO_END = 10.0  # seconds for a program to end by itself after SIGTERM; its last push is a part of that
_TO_NOTICE = 2.0  # seconds for a program to end by itself after an interrupt
_TO_READ = 1.0  # seconds for what it said last; its children may hold stderr open for longer


def watch(  # noqa: PLR0913 - what it needs
    path: str,
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    seconds: float | None,
    listen: Callable[[str], None],
    to_end: float = _TO_END,
) -> int:
    """Run a program, its output and its errors on our stderr, until it ends or the time is over.

    Args:
        path: The program's file.
        words: How it is called, and its arguments.
        environ: Its environment.
        seconds: After which it is ended by SIGTERM; None waits for its end.
        listen: Told each line that it writes to stderr.
        to_end: Seconds that it then has before it is killed.

    Returns:
        Its exit status, negative for a signal.

    Raises:
        OSError: The system refuses to execute it.
    """
    sys.stderr.flush()
    with subprocess.Popen(  # noqa: S603 - the user's own command
        list(words), executable=path, env=dict(environ), stdout=sys.stderr.fileno(), stderr=subprocess.PIPE
    ) as process:
        reading = Thread(target=_relay, args=(process, listen), name="otel-prw preview", daemon=True)
        reading.start()

        def forward(number: int, _frame: FrameType | None) -> None:
            process.send_signal(number)

        before = signal.signal(signal.SIGTERM, forward)
        try:
            _wait(process, seconds, to_end)
        finally:
            signal.signal(signal.SIGTERM, before)
        reading.join(_TO_READ)
        if reading.is_alive() and process.stderr:  # a child of the program has it; what that says is not waited for
            process.stderr = None
    return process.returncode


def _wait(process: subprocess.Popen[bytes], seconds: float | None, to_end: float) -> None:
    try:
        process.wait(seconds)
    except KeyboardInterrupt:  # a terminal sends it to the program, too, but others may not
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(_TO_NOTICE)
    except subprocess.TimeoutExpired:
        pass
    if process.poll() is None:
        process.terminate()
    with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(to_end)
    process.kill()
    process.wait()


def _relay(process: subprocess.Popen[bytes], listen: Callable[[str], None]) -> None:
    for line in process.stderr or ():
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
        listen(line.decode("utf-8", "replace"))
