"""A new user opens the page of `otel-prw receive` while an unmodified shop runs under `otel-prw run`."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from examples.launcher import traffic
from tests.end_to_end.watched_shop import watched_shop
from tests.receiver.messages import post, request, series

DURATION = "http_server_request_duration_seconds"


@pytest.fixture(scope="module")
def running():
    with watched_shop() as running, traffic.kept_up(running.shop):
        yield running


def test_user_finds_the_shops_requests_filters_them_and_sees_a_rejection(running, chromium):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(running.page)
    page.get_by_label("Search metrics").fill("http_server")
    page.get_by_role("button", name=DURATION).click()
    expect(page.locator("#figures")).to_contain_text("p95")
    expect(page.locator("#figures")).to_contain_text("/s")
    expect(page.locator(".plot .legend")).to_contain_text("p95")
    expect(page.locator(".plot .scatterlayer .trace path.js-line")).to_have_count(3)
    streams = page.get_by_label("streams")
    expect(streams).to_contain_text("http_route=/products/<int:number>")
    page.get_by_role("button", name="/checkout").click()
    expect(streams).not_to_contain_text("/products/<int:number>")
    expect(page.locator("#promql")).to_contain_text('http_route="/checkout"')

    assert post(running, request(series([("a", "1")]))).status == 400
    expect(page.locator("#state")).to_contain_text("1 rejected")
    page.get_by_role("button", name="Senders and pushes").click()
    expect(page.get_by_label("rejections", exact=True)).to_contain_text("there is no __name__")
    expect(page.get_by_label("jobs and instances")).to_contain_text("shop")
    page.close()
