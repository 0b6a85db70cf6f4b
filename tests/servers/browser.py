"""A headless Chromium of Debian's, driven by Playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.servers.package import Package
from tests.servers.packages import CHROMIUM

_PATIENCE = 120_000  # milliseconds; the machine may be busy


@contextmanager
def browser(chromium: Package) -> Iterator[Browser]:
    """Runs it inside a with block; while it does, no other code of this thread can run an event loop."""
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium.path(CHROMIUM),
            env={**os.environ, **chromium.environment},
            timeout=_PATIENCE,
            # As root it has no sandbox of its own; it sees nothing but the pages of the tests.
            args=["--no-sandbox"],
        )
        try:
            yield running
        finally:
            running.close()
