"""The command of a job: run as if it received every signal directly.

Signals are blocked before the command starts and then waited for, so none is lost in between. A terminal sends its own
signals, such as Ctrl-C, to the command as well; every other signal is passed on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_NOT_PASSED_ON = (
    *("SIGKILL", "SIGSTOP"),  # cannot be
    "SIGCHLD",  # tells of the command itself
    *("SIGTTIN", "SIGTTOU"),  # a terminal sends them to those who use it in the background
    *("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS"),  # are faults of who gets them
    *("SIGPIPE", "SIGXFSZ", "SIGXCPU"),
)
_INTERRUPTING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")
_BY_SIGNAL = 128  # plus the signal's number: the shell's exit status
_KIBIBYTE = 1024
_FIRST_LOOK, _LONGEST_PAUSE = 0.02, 1.0  # seconds between two readings of the memory


class Result(NamedTuple):
    """How a command ended.

    Args:
        status: Its exit status, as a shell reports it.
        cpu: Processor time in seconds, including children that it waited for; None if unknown.
        memory: Peak memory of any of these processes, in bytes; None if unknown.
    """

    status: int
    cpu: float | None = None
    memory: int | None = None


Mask = set[int]
"""The blocked signals."""


def run(path: str, words: Sequence[str], environ: Mapping[str, str], mask: Mask) -> Result:
    """Run a command to its end and pass on the signals that arrive meanwhile.

    Args:
        path: The program's file.
        words: Its command line, starting with its name.
        environ: Its environment.
        mask: The signals that it starts with blocked; in this process they are blocked already.

    Raises:
        OSError: The system refuses to execute it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if not hasattr(os, "posix_spawn"):  # Windows
        return Result(subprocess.run(words, executable=path, env=dict(environ), check=False).returncode)  # noqa: S603
    floor = _peak_memory("self")
    ignored = _numbers(*_IGNORED_BY_PYTHON)
    return _wait(os.posix_spawn(path, list(words), dict(environ), setsigmask=mask, setsigdef=ignored), floor)


def _wait(process: int, floor: int) -> Result:
    signals = _passed_on() | _numbers("SIGCHLD")
    seen, pause = _peak_memory(str(process)), _FIRST_LOOK
    while True:
        number, is_of_terminal = _next_signal(signals, pause)
        if number and number != signal.SIGCHLD and not is_of_terminal:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        if number and number in _numbers("SIGTSTP"):
            os.kill(os.getpid(), signal.SIGSTOP)
        ended, status, used = os.wait4(process, os.WNOHANG)
        if ended:
            break
        seen, pause = _peak_memory(str(process)) or seen, min(2 * pause, _LONGEST_PAUSE)
    code = os.waitstatus_to_exitcode(status)
    # Until exec, the child shared our memory: a peak that is no larger may be ours.
    memory = used.ru_maxrss * (1 if sys.platform == "darwin" else _KIBIBYTE)
    most = memory if memory > floor else min(seen, memory)
    return Result(code if code >= 0 else _BY_SIGNAL - code, used.ru_utime + used.ru_stime, most or None)


def _next_signal(signals: set[int], seconds: float) -> tuple[int, bool]:
    """Wait for a signal for some time; return it, and whether the terminal sent it to the command as well."""
    if not hasattr(signal, "sigtimedwait"):  # macOS
        return signal.sigwait(signals), _is_in_foreground()
    found = signal.sigtimedwait(signals, seconds)
    return (found.si_signo, found.si_code > 0) if found else (0, False)  # positive: not sent by a process


def _is_in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


def block_signals() -> Mask:
    """Block the signals that are passed on, and SIGCHLD; return the mask from before."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        return set()
    # A handler is needed: some systems do not deliver an ignored SIGCHLD, and ignoring it loses the exit status.
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    for number in _numbers(*_INTERRUPTING) - _numbers("SIGINT"):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, signal.default_int_handler)
    return {*signal.pthread_sigmask(signal.SIG_BLOCK, _passed_on() | _numbers("SIGCHLD"))}


@contextmanager
def interruptible(mask: Mask) -> Iterator[None]:
    """Let signals interrupt the block, once the command has ended.

    Args:
        mask: What was blocked before, and stays so.

    Raises:
        KeyboardInterrupt: A signal arrived.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    while hasattr(signal, "sigtimedwait") and signal.sigtimedwait(blocked, 0):
        pass  # it was meant for the command, which had just ended
    try:
        # Not the others: whatever comes, the exit status is the command's.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _numbers(*_INTERRUPTING, "SIGTSTP") - mask)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _passed_on() -> set[int]:
    return {*map(int, signal.valid_signals())} - _numbers(*_NOT_PASSED_ON)


def _numbers(*names: str) -> set[int]:
    return {int(getattr(signal, name)) for name in names if hasattr(signal, name)}


def _peak_memory(process: str) -> int:
    """Return the peak memory of a process in bytes; 0 if the system does not report it."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KIBIBYTE
    return 0
