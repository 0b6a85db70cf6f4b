"""Programs of several processes under the launcher, and the truth about what they have pushed."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from tests.application import AMPLE, LAUNCHER, PYTHON

FOLDER = Path(__file__).with_name("processes")
POD = "shop.pod-7.app"
PINNED = {"OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={POD}"}  # as the Operator does
WHOLE_RUN = "240000"  # an interval in milliseconds that no test lasts: whatever arrives was sent at the end


class Program:
    """A program under the launcher, in a process group of its own, that ends with the test.

    Args:
        command: A command of the virtual environment, and its arguments.
        launcher: Whether it runs under the launcher.
        folder: For its locks and its log.
        variables: What its environment holds beside PATH.
    """

    def __init__(self, *command, folder, launcher=True, **variables):
        self.log = folder / "log.txt"
        environment = {
            "PATH": os.pathsep.join([str(PYTHON.parent), os.defpath]),
            "TMPDIR": str(folder),
            "PYTHONPATH": str(FOLDER),
            "OTEL_PYTHON_DISTRO": "prometheus_remote_write",
            # system_metrics has a hundred series of its own, flask a fifth of the time that such a process takes.
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask,system_metrics",
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_EXPORTER_PRW_INTERVAL": WHOLE_RUN,
            **AMPLE,
            **variables,
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [PYTHON.parent / (LAUNCHER if launcher else command[0]), *map(str, command[not launcher :])],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait()

    def said(self, pattern):
        """Wait for something in its log; return what the pattern's first group matches."""
        while not (found := re.search(pattern, self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        return found[1]

    def end(self, signal=None, timeout=240):
        """Send a signal, wait, and return the exit status."""
        if signal is not None:
            self.process.send_signal(signal)
        return self.process.wait(timeout)


def total(receiver, name, **labels):
    """The sum of all that all processes counted: the last value of each series since each of its beginnings."""
    return sum(
        list(samples)[-1].value
        for series in receiver.series(name, **labels)
        for _, samples in groupby(series.samples, key=lambda sample: sample.start_timestamp)
    )


def instances(receiver, name):
    return {series.label("instance") for series in receiver.series(name)}


def assert_one_writer_each(receiver):
    """Nothing was out of order, and no instance was left by a process for another one and taken up again."""
    assert receiver.rejected == []
    for series in receiver.series("writer"):
        writers = [process for process, _ in groupby(series.samples, key=lambda sample: sample.value)]
        assert len(writers) == len(set(writers)), f"{series.label('instance')} is written by turns: {writers}"
