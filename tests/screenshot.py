"""The picture of the page in the docs: python -m tests.screenshot."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from playwright.sync_api import expect

from examples.launcher import traffic
from tests.end_to_end.watched_shop import watched_shop
from tests.servers.browser import browser
from tests.servers.package import UnavailableError
from tests.servers.packages import chromium

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "receive.png"
_METRIC = "http_server_request_duration_seconds"
_SECONDS = 90


def main() -> int:
    """Let the shop have visitors for a while, and take the picture."""
    try:
        package = chromium()
    except UnavailableError as reason:
        print(f"Chromium cannot be had here: {reason}")
        return 1
    with watched_shop() as running, traffic.kept_up(running.shop), browser(package) as chromium_running:
        time.sleep(_SECONDS)
        page = chromium_running.new_page(viewport={"width": 1280, "height": 960}, device_scale_factor=1)
        page.goto(f"{running.page}#metric={_METRIC}")
        expect(page.locator(".plot .scatterlayer .trace path.js-line")).to_have_count(3)
        expect(page.locator(".heat .heatmaplayer image")).to_have_count(1)
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=PICTURE)
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
