"""A daemon that python-daemon detaches, counts, and waits for SIGTERM."""

import os
import sys
import time
from pathlib import Path

from daemon import DaemonContext
from work import count

count(1, at="start")
with DaemonContext(working_directory=Path.cwd(), stdout=sys.stdout, stderr=sys.stderr):
    count(1, at="daemon")
    Path("pid.new").write_text(str(os.getpid()))
    Path("pid.new").rename("pid")
    while True:
        time.sleep(0.1)
        count(1, at="daemon")
