"""A pseudo terminal with a program in it, and what its screen shows."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

import pyte


class Terminal:
    """Runs a program on a screen of its own; used in a with block, after which the program is gone.

    Args:
        command: The program and its arguments.
        columns: The screen's width.
        lines: The screen's height.
        env: Variables beside those of the tests.
    """

    def __init__(self, command, *, columns=80, lines=24, env=None):
        self._command = command
        # Not COLUMNS and LINES, which pytest-xdist sets for its workers: the terminal has its own size.
        own = {name: text for name, text in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        self._env = own | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | (env or {})
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = threading.Condition()
        self.written = b""
        self._terminal, self._its_end = pty.openpty()
        self._set_size(columns, lines)

    def __enter__(self):
        self.process = subprocess.Popen(
            self._command,
            stdin=self._its_end,
            stdout=self._its_end,
            stderr=subprocess.PIPE,
            text=True,
            env=self._env,
            start_new_session=True,
        )
        os.close(self._its_end)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self._reader.join()
        os.close(self._terminal)

    @property
    def text(self):
        """What the screen shows, blanks at the ends of lines left out."""
        with self._changed:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def type(self, keys):
        os.write(self._terminal, keys.encode())

    def resize(self, columns, lines):
        with self._changed:
            self._screen.resize(lines, columns)
        self._set_size(columns, lines)
        self.process.send_signal(signal.SIGWINCH)

    def wait_for(self, condition, timeout=60):
        """Wait until a text is on the screen, or a function of the screen's text is true, and return the text."""
        holds = condition if callable(condition) else lambda text: condition in text
        deadline = time.monotonic() + timeout
        with self._changed:
            while not holds(text := self.text):
                left = deadline - time.monotonic()
                assert left > 0, f"not seen: {condition}; the screen shows\n{text}"
                self._changed.wait(left)
            return text

    def wait_for_lines(self, *patterns):
        """Wait until each pattern is found in the screen's text at the same time, and return the text."""
        searched = [re.compile(pattern, re.MULTILINE) for pattern in patterns]
        return self.wait_for(lambda text: all(each.search(text) for each in searched))

    def color_of(self, text):
        """The colour of the first character of a text on the screen."""
        with self._changed:
            for number, line in enumerate(self._screen.display):
                if (place := line.find(text)) >= 0:
                    return self._screen.buffer[number][place].fg
        raise AssertionError(f"not on the screen: {text}")

    def _set_size(self, columns, lines):
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self):
        with contextlib.suppress(OSError):  # the program has ended
            while data := os.read(self._terminal, 65536):
                with self._changed:
                    self.written += data
                    # pyte takes the answer to a question of the keyboard's protocol for text to show.
                    self._stream.feed(data.replace(b"\x1b[>", b"\x1b[?"))
                    self._changed.notify_all()
