"""The page in a real Chromium."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from opentelemetry.exporter.prometheus_remote_write.receiver.page import Page
from opentelemetry.exporter.prometheus_remote_write.receiver.store import Store
from tests.receiver.messages import exemplar, post, request, sample, series

TARGET = {"job": "shop", "instance": "a", "otel_scope_name": "app"}
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
EVIL = "<img src=x onerror=alert(1)><script>alert(1)</script>\x1b[2J"


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def receiver(store):
    with Receiver(listener=store, pages=Page(store)) as running:
        yield running


@pytest.fixture
def open_page(chromium, receiver):
    """Opens the page; at the end nothing was fetched from elsewhere, and nothing was wrong."""
    contexts, asked, wrong = [], [], []

    def open_page(viewport=WIDE, address="", **options):
        context = chromium.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message) or dialog.dismiss())
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(receiver.page + address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [url for url in asked if not url.startswith((receiver.page, "data:"))]
    assert not wrong


def one(name, value, at, exemplars=(), **labels):
    pairs = sorted({"__name__": name, **TARGET, **labels}.items())
    return series(pairs, [sample(value, at)], exemplars=exemplars)


def shop(receiver, steps=6):
    """Push exports two seconds apart, the last one now."""
    now = round(time.time() * 1000)
    for step in range(steps):
        at = now - 2000 * (steps - 1 - step)
        parts = [one("orders_total", 8.0 * step, at), one("target_info", 1.0, at, service_version="1.2.3")]
        for route, fast in (("/", 30), ("/checkout", 10)):
            counts = {"0.01": fast * step, "0.1": 40 * step, "+Inf": 40 * step}
            for le, count in counts.items():
                seen = [exemplar(0.05, at - 10, [("trace_id", "abc123")])] if le == "0.1" else []
                parts.append(one("http_server_duration_seconds_bucket", count, at, seen, http_route=route, le=le))
            parts.append(one("http_server_duration_seconds_count", 40 * step, at, http_route=route))
            parts.append(one("http_server_duration_seconds_sum", 1.0 * step, at, http_route=route))
        assert post(receiver, request(*parts)).status == 204


def lines(page, place=".plot"):
    return page.locator(f"{place} .scatterlayer .trace path.js-line")


def test_metric_is_searched_opened_and_filtered(open_page, receiver):
    shop(receiver)
    page = open_page()
    page.get_by_label("Search metrics").fill("http_server")
    expect(page.locator("#found")).to_have_text("1 of 2 metrics")
    page.get_by_role("button", name="http_server_duration_seconds").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("http_server_duration_seconds")
    expect(lines(page)).to_have_count(3)
    expect(page.locator(".plot .legend")).to_contain_text("p95")
    expect(page.locator(".heat .heatmaplayer image")).to_have_count(1)
    expect(page.locator("#figures")).to_contain_text("40/s")
    expect(page.get_by_label("streams")).to_contain_text("http_route=/checkout")
    expect(page.get_by_label("exemplars")).to_contain_text("trace_id=abc123")
    page.get_by_role("button", name="/checkout").click()
    expect(page.get_by_role("button", name="/checkout")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("heading", name="1 stream", exact=True)).to_be_visible()
    expect(page.locator("#promql")).to_contain_text('http_server_duration_seconds_bucket{http_route="/checkout"}')
    page.reload()
    expect(page.get_by_role("heading", name="1 stream", exact=True)).to_be_visible()


def test_counter_shows_its_rate_and_moves_with_each_push(open_page, receiver):
    shop(receiver)
    page = open_page(address="#metric=orders_total")
    expect(page.locator("#figures")).to_contain_text("4/s")
    expect(lines(page)).to_have_count(1)
    expect(page.locator("#promql")).to_have_text("rate(orders_total[8s])")
    at = round(time.time() * 1000) + 1000
    assert post(receiver, request(one("orders_total", 400.0, at))).status == 204
    expect(page.locator("#state")).to_contain_text("7 pushes")
    expect(page.get_by_label("streams")).to_contain_text("400")


def test_second_view_has_senders_pushes_and_rejections(open_page, receiver):
    shop(receiver)
    assert post(receiver, request(series([("a", "1")]))).status == 400
    page = open_page()
    page.get_by_role("button", name="Senders and pushes").click()
    expect(page.get_by_label("jobs and instances")).to_contain_text("service_version=1.2.3")
    expect(page.get_by_label("pushes", exact=True)).to_contain_text("shop a")
    expect(page.get_by_label("rejections", exact=True)).to_contain_text('there is no __name__ (series {a="1"})')


def test_page_is_used_by_keyboard_alone(open_page, receiver):
    shop(receiver)
    page = open_page()
    expect(page.locator(".metric")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("orders")
    expect(page.locator(".metric")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_have_text("orders_total")
    page.keyboard.press("Escape")
    expect(page.locator(".metric")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_have_text("http_server_duration_seconds")
    page.keyboard.press("t")
    expect(page.get_by_label("jobs and instances")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#metrics-view")).to_be_visible()
    expect(page.locator(".metric")).to_have_count(2)


def test_page_fits_a_narrow_screen(open_page, receiver):
    shop(receiver)
    page = open_page(NARROW)
    page.get_by_role("button", name="http_server_duration_seconds").click()
    expect(lines(page)).to_have_count(3)
    expect(page.locator("#list")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.locator("button.back").click()
    expect(page.locator("#list")).to_be_visible()
    expect(page.locator("#detail")).to_be_hidden()
    page.get_by_role("button", name="Senders and pushes").click()
    expect(page.get_by_label("jobs and instances")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_page_is_light_or_dark_as_the_system_is(open_page, receiver, scheme, is_dark):
    shop(receiver)
    page = open_page(color_scheme=scheme, address="#metric=orders_total")
    expect(lines(page)).to_have_count(1)
    colors = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    back, text = (sum(map(int, re.findall(r"\d+", color)[:3])) for color in colors)
    assert (back < text) == is_dark


def test_labels_are_text_wherever_they_are_shown(open_page, receiver):
    now = round(time.time() * 1000)
    for step in range(3):
        at = now - 4000 + 2000 * step
        parts = [one("evil_total", step, at, who=who) for who in (EVIL, '<a href="http://evil.example">b</a>', "plain")]
        assert post(receiver, request(*parts)).status == 204
    assert post(receiver, request(series([("a", EVIL)]))).status == 400
    page = open_page(address="#metric=evil_total")
    expect(lines(page)).to_have_count(3)
    shown = "<img src=x onerror=alert(1)><script>alert(1)</script>\\u{1b}[2J"
    expect(page.get_by_label("streams")).to_contain_text(shown)
    expect(page.locator(".plot .legend")).to_contain_text("<a href=")
    assert page.locator("#detail img, #detail script, #detail a").count() == 0
    page.get_by_role("button", name=shown).click()
    expect(page.get_by_role("heading", name="1 stream", exact=True)).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_label("rejections", exact=True)).to_contain_text("there is no __name__")


def test_large_push_does_not_freeze_the_page(open_page, receiver):
    page = open_page()
    now = round(time.time() * 1000)
    for step in range(2):
        at = now - 2000 + 2000 * step
        parts = [one("big_total", 10.0 * step, at, user=f"{number:05}") for number in range(46_000)]
        assert post(receiver, request(*parts)).status == 204
    expect(page.locator("#kept")).to_contain_text("samples were of more series than are kept")
    page.get_by_role("button", name="big_total").click()
    expect(lines(page)).to_have_count(50)
    expect(page.locator(".note").first).to_contain_text("50 lines are drawn, 19,950 more are not")
    page.get_by_label("Search metrics").fill("nothing")
    expect(page.locator("#found")).to_have_text("0 of 1 metrics")


def test_page_without_plotly_has_tables_and_says_how_to_get_plots(chromium, store):
    class WithoutPlotly(Page):
        """As where the extra is not installed."""

        def get(self, target):
            answer = super().get(target)
            if target == "/view/metrics":
                return replace(answer, body=answer.body.replace(b'"has_plots":true', b'"has_plots":false'))
            return None if target == "/static/plotly.js" else answer

    with Receiver(listener=store, pages=WithoutPlotly(store)) as receiver:
        shop(receiver)
        page = chromium.new_page()
        page.goto(f"{receiver.page}#metric=orders_total")
        expect(page.locator("#no-plots")).to_contain_text("pip install")
        expect(page.get_by_label("streams")).to_contain_text("40")
        page.close()


def test_page_goes_on_when_the_receiver_is_back(chromium, store):
    context = chromium.new_context(viewport=WIDE)
    page = context.new_page()
    with Receiver(listener=store, pages=Page(store)) as receiver:
        port = receiver.port
        page.goto(receiver.page)
        expect(page.locator("#state")).to_contain_text("waiting for the first push")
    expect(page.locator("#notice")).to_be_visible()
    with Receiver(port=port, listener=store, pages=Page(store)) as receiver:
        shop(SimpleNamespace(url=receiver.url))
        expect(page.locator("#state")).to_contain_text("6 pushes")
        expect(page.locator("#notice")).to_be_hidden()
    context.close()
