"""A program that runs as a child for a while, with its stderr read line by line."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from types import FrameType

_TO_END = 10.0  # seconds for a program to exit after SIGTERM, its last push included
_TO_NOTICE = 2.0  # seconds for a program to exit after an interrupt
_TO_READ = 1.0  # seconds for its last lines; its children may keep stderr open for longer


def watch(  # noqa: PLR0913 - what it needs
    path: str,
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    seconds: float | None,
    listen: Callable[[str], None],
    to_end: float = _TO_END,
) -> int:
    """Run a program, with its output and errors on our stderr, until it ends or the time is up.

    Args:
        path: The program's file.
        words: Its command line, starting with its name.
        environ: Its environment.
        seconds: How long it may run before it gets SIGTERM; None waits for its end.
        listen: Called with each line that it writes to stderr.
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
        if reading.is_alive() and process.stderr:  # a child of the program still holds it open; do not wait for that
            process.stderr = None
    return process.returncode


def _wait(process: subprocess.Popen[bytes], seconds: float | None, to_end: float) -> None:
    try:
        process.wait(seconds)
    except KeyboardInterrupt:  # a terminal also sends it to the program, but other senders may not
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
