"""Fuzzes what reads foreign data, again and again with other seeds: `make fuzz`, `make fuzz SECONDS=3600`.

These are the property tests of settings, answers, pushes to the receiver and the data path, which `make test` runs for
some seconds. Each round is a run of pytest; the first that fails is the last, and hypothesis keeps what failed.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time

FUZZED = ["tests/configuration", "tests/transport", "tests/delivery", "tests/receiver", "tests/translation",
          "tests/encoding", "tests/test_properties.py", "tests/test_caches.py"]  # fmt: skip


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=60.0, help="no round begins later")
    arguments.add_argument("paths", nargs="*", default=FUZZED)
    given = arguments.parse_args()
    end = time.monotonic() + given.seconds
    rounds = 0
    while not rounds or time.monotonic() < end:
        rounds += 1
        seed = random.randrange(2**32)
        print(f"-- round {rounds}, seed {seed}", flush=True)
        command = [
            "-q",
            "-m",
            "hypothesis",
            "--hypothesis-profile",
            "fuzz",
            f"--hypothesis-seed={seed}",
            "-n",
            "logical",
        ]
        status = subprocess.run([sys.executable, "-m", "pytest", *command, *given.paths], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
