"""The demo's shop in a real Chromium before the real house, its feed running: what a stranger sees who clicks.

What is checked is what stands on the page. Each promise has its negative control: without the snippet nothing changes,
without consent nothing is sent, an inline script does not run.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from livepost.bench.house import House
from livepost.demo.house import DemoHouse

SPEED = 1_800.0
"""An hour of the shop in 2 seconds."""

PATIENCE_MS = 15_000
QUIET_MS = 1_500
VISITORS = 5
"""How many visitors are tried where one in twenty is held out from a campaign to measure it."""


class Visitor:
    """Somebody in the shop, and what went wrong on their page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.trouble: list[str] = []
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("console", lambda said: self.trouble.append(said.text) if said.type == "error" else None)
        page.set_default_timeout(PATIENCE_MS)

    def comes(self, path: str = "") -> None:
        """Open the shop and wait until the desk knows them."""
        self.page.goto(self.url + path)
        expect(self.at("features").locator("dt").first).to_be_visible()

    def at(self, id: str) -> Locator:
        """Return a part of the page."""
        return self.page.locator(f"#{id}")

    def feature(self, name: str) -> Locator:
        """Return the value of a feature as it is shown."""
        return self.page.locator(f"#features dt:text-is('{name}') + dd")

    def looks_at(self, *names: str) -> None:
        """Click on products, and wait each time until the desk has it."""
        for name in names:
            seen = int(re.sub(r"\D.*", "", self.feature("views_7d").inner_text()))
            with self.page.expect_navigation():  # else the click behind it may still meet the page before
                self.page.click("a.name")
            self.page.locator(".card", has_text=name).first.click()
            expect(self.page.locator("article.product h1")).to_have_text(name)
            expect(self.feature("views_7d")).to_have_text(re.compile(f"^{seen + 1}"))

    def signs_in(self, name: str, may_write: bool = True) -> None:
        """Say a first name and whether the shop may write."""
        self.page.fill("input[name=first_name]", name)
        self.page.set_checked("input[name=may_write]", may_write)
        self.page.click("#sign-in button")
        expect(self.at("who")).to_have_text(name)

    def orders(self) -> None:
        """Put something into the basket and order it."""
        self.page.locator("#shelf [data-add]").first.click()
        self.page.click("#checkout")
        self.page.click("#order")
        expect(self.at("thanks")).to_contain_text("Thank you")

    def letter(self) -> Locator:
        """Return the words of the letter."""
        return self.page.frame_locator("#letter").locator("body")

    def wide(self) -> tuple[int, int]:
        """Return how wide the page is, and how wide the window."""
        found: list[int] = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        return found[0], found[1]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHouse]:
    house = DemoHouse(tmp_path_factory.mktemp("demo"), 0, SPEED)
    try:
        house.start()
        house.wait_fed()
        yield house
    finally:
        house.stop()


@pytest.fixture
def visiting(chromium: Browser, demo: DemoHouse) -> Iterator[Callable[..., Visitor]]:
    contexts = []
    visitors = []

    def visit(**options: Any) -> Visitor:
        contexts.append(chromium.new_context(**options))
        visitors.append(Visitor(contexts[-1].new_page(), demo.shop_url))
        return visitors[-1]

    yield visit
    for context in contexts:
        context.close()
    assert [trouble for one in visitors for trouble in one.trouble] == []


@pytest.fixture
def visitor(visiting: Callable[..., Visitor]) -> Visitor:
    one = visiting()
    one.comes()
    return one


def test_three_looks_change_letter_features_segments_and_reasons_in_place(visitor: Visitor) -> None:
    expect(visitor.at("state")).to_have_text("Not yet")
    expect(visitor.at("reason")).to_have_text("no mail: not in browsing: views_7d is 0, needs >= 3")
    visitor.page.evaluate("window.stays = 'the same page'")
    visitor.looks_at("Strawberries")
    expect(visitor.letter()).to_contain_text("Strawberries")
    expect(visitor.at("reason")).to_have_text("no mail: not in browsing: views_7d is 1, needs >= 3")
    visitor.looks_at("Ground coffee", "Doughnuts")
    expect(visitor.letter()).to_contain_text("Doughnuts")
    expect(visitor.page.locator("#segments li", has_text="in browsing since").first).to_have_attribute(
        "data-state", "in"
    )
    expect(visitor.page.locator("#segments li.changed")).to_contain_text("in browsing")
    expect(visitor.page.locator("#campaigns li", has_text="browse_reminder")).not_to_contain_text("not in browsing")
    expect(visitor.feature("views_7d")).to_have_class("changed")
    expect(visitor.feature("orders")).not_to_have_class("changed")
    assert visitor.page.evaluate("window.stays") == "the same page"


def test_the_milliseconds_from_click_to_change_are_told(visitor: Visitor) -> None:
    visitor.looks_at("Bananas")
    expect(visitor.at("took")).to_have_text(re.compile(r"^\d{1,4} ms from click to change$"))


def test_signing_in_makes_one_person_of_browser_and_name_and_the_mail_goes(visitor: Visitor) -> None:
    visitor.looks_at("Spaghetti")
    visitor.orders()
    expect(visitor.at("subject")).to_have_text("Welcome to the corner shop, friend")
    visitor.signs_in("Ada")
    expect(visitor.at("subject")).to_have_text("Welcome to the corner shop, Ada")
    expect(visitor.feature("looked_at")).to_have_text(re.compile("^Spaghetti"))
    expect(visitor.feature("first_name")).to_contain_text("known, sealed")
    expect(visitor.at("state")).to_have_text("Sent", timeout=PATIENCE_MS)
    expect(visitor.at("reason")).to_have_text(re.compile(r"^sent: entered Shopper\.new, decided .* UTC, sent"))


def test_a_reminder_waits_two_hours_of_the_shop_and_is_sent(visiting: Callable[..., Visitor]) -> None:
    for _ in range(VISITORS):
        visitor = visiting()
        visitor.comes()
        visitor.signs_in("Bea")
        visitor.looks_at("Tinned soup", "Fresh milk", "Red grapes")
        waiting = visitor.page.locator(".letter[data-state=waiting]")
        if waiting.count():
            expect(visitor.at("when")).to_have_text(re.compile(r"goes \w+ \d\d:\d\d UTC shop time, in \d s"))
        expect(visitor.at("state")).to_have_text(re.compile("^(Sent|Not sent)$"), timeout=PATIENCE_MS)
        if visitor.at("state").inner_text() == "Sent":
            expect(visitor.at("subject")).to_have_text("Still thinking it over, Bea?")
            return
        expect(visitor.at("reason")).to_contain_text("held out")
    pytest.fail(f"{VISITORS} visitors were held out, of whom one in twenty is")


def test_whoever_does_not_allow_it_gets_none_and_is_told_why(visitor: Visitor) -> None:
    visitor.signs_in("Cy", may_write=False)
    visitor.orders()
    expect(visitor.at("reason")).to_contain_text("no consent for this purpose")
    expect(visitor.at("state")).to_have_text("Not sent", timeout=PATIENCE_MS)


def test_the_basket_gives_and_takes_and_every_step_is_told(visitor: Visitor) -> None:
    visitor.page.locator("#shelf [data-add]").first.click()
    expect(visitor.feature("cart")).to_have_text(re.compile("^Bananas"))
    expect(visitor.at("total")).to_have_text("$0.98")
    with visitor.page.expect_request("**/v1/batch") as told:
        visitor.page.click("[data-remove]")
    [call] = told.value.post_data_json["batch"]
    assert (call["event"], call["properties"]["name"], call["properties"]["price"]) == (
        "Product Removed",
        "Bananas",
        0.98,
    )
    expect(visitor.at("empty")).to_be_visible()


def test_an_order_is_told_as_segment_has_it(visitor: Visitor) -> None:
    told: list[dict[str, Any]] = []
    visitor.page.on("request", lambda one: told.extend(one.post_data_json["batch"] if one.post_data else []))
    visitor.page.locator("#shelf [data-add]").nth(4).click()
    visitor.orders()
    expect(visitor.feature("orders")).to_have_text(re.compile("^1"))
    started, order = (
        next(one["properties"] for one in told if one.get("event") == name)
        for name in ("Checkout Started", "Order Completed")
    )
    assert (order["total"], order["currency"], order["category"]) == (3.97, "USD", "Fruit")
    assert [(one["name"], one["quantity"], one["price"]) for one in order["products"]] == [
        ("Strawberries", 1, 2.99),
        ("Bananas", 1, 0.98),
    ]
    assert (started["order_id"], started["value"], started["products"]) == (
        order["order_id"],
        order["total"],
        order["products"],
    )


def test_without_the_snippet_nothing_changes(visiting: Callable[..., Visitor]) -> None:
    visitor = visiting()
    visitor.page.route("**/livepost.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    visitor.page.goto(visitor.url)
    for _ in range(3):
        with visitor.page.expect_navigation():
            visitor.page.click("a.name")
        visitor.page.locator(".card").first.click()
        visitor.page.wait_for_timeout(QUIET_MS / 3)
    expect(visitor.at("state")).to_have_text("Not yet")
    expect(visitor.at("features").locator("dt")).to_have_count(0)
    expect(visitor.at("took")).to_have_text("")


def test_without_javascript_it_is_a_shop_to_look_at(visiting: Callable[..., Visitor]) -> None:
    visitor = visiting(java_script_enabled=False)
    visitor.page.goto(visitor.url)
    expect(visitor.page.locator(".notice")).to_contain_text("nothing you do is told to anybody")
    expect(visitor.page.locator("[data-add]").first).to_be_hidden()
    visitor.page.locator(".card", has_text="Doughnuts").click()
    expect(visitor.page.locator("h1")).to_have_text("Doughnuts")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_390_pixels_nothing_scrolls_sideways_and_the_next_mail_is_in_sight(
    visiting: Callable[..., Visitor], scheme: str
) -> None:
    visitor = visiting(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    visitor.comes()
    assert visitor.wide() == (390, 390)
    visitor.looks_at("A piece of cheese")
    assert visitor.wide() == (390, 390)
    expect(visitor.at("strip-subject")).to_be_in_viewport()
    ground = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(251, 250, 247)", "dark": "rgb(20, 23, 26)"}[scheme]
    visitor.page.evaluate("document.querySelector('#shelf').append('x'.repeat(200))")
    assert visitor.wide()[0] > 390  # a line too long would be seen


def test_the_keyboard_is_enough(visitor: Visitor) -> None:
    visitor.page.locator(".card", has_text="White bread").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("article.product h1")).to_have_text("White bread")
    expect(visitor.at("shelf")).to_be_focused()
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.locator("article.product [data-add]")).to_be_focused()
    visitor.page.keyboard.press("Space")
    expect(visitor.at("count")).to_have_text("1")


def test_going_back_shows_the_shelf_before_and_the_desk_stays(visitor: Visitor) -> None:
    visitor.looks_at("Ice cream")
    visitor.page.go_back()
    expect(visitor.page.locator("#shelf h1")).to_have_text("What may it be?")
    expect(visitor.feature("looked_at")).to_contain_text("Ice cream")


def test_signing_out_makes_a_stranger_of_them(visitor: Visitor) -> None:
    visitor.looks_at("Bananas")
    visitor.signs_in("Dan")
    visitor.page.click("#sign-out")
    expect(visitor.feature("views_7d")).to_have_text(re.compile("^0"))
    expect(visitor.feature("first_name")).to_have_text(re.compile("^never"))


def test_a_script_that_somebody_put_into_the_page_does_not_run(visiting: Callable[..., Visitor]) -> None:
    visitor = visiting()
    visitor.comes()
    visitor.page.evaluate("""() => {
        const script = document.body.appendChild(document.createElement("script"));
        script.textContent = "window.ran = true";
        document.getElementById("letter").contentDocument.body.innerHTML = "<img src=x onerror='parent.ran = true'>";
    }""")
    visitor.page.wait_for_timeout(QUIET_MS)
    assert visitor.page.evaluate("window.ran") is None
    assert visitor.trouble  # the browser says that it refused
    visitor.trouble.clear()


def test_nobody_is_told_of_somebody_else(demo: DemoHouse) -> None:
    for named in ("h0900", "h0900@example.com", "0" * 32):
        assert httpx.get(f"{demo.shop_url}/desk", params={"visitor": named}).status_code == 400
    assert httpx.get(f"{demo.shop_url}/desk", params={"visitor": str(uuid.uuid4())}).status_code == 404


def test_the_shops_keys_are_its_own_and_the_secret_one_is_on_no_page(demo: DemoHouse) -> None:
    keys = [one for one in demo.folder.keys.all() if one.source == "storefront" and one.revoked_ms is None]
    assert sorted(one.kind for one in keys) == ["secret", "write"]
    assert "lp_secret" not in httpx.get(demo.shop_url).text


def test_another_house_has_no_shop(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        house.start(["front"])
        assert httpx.get(f"http://127.0.0.1:{house.folder.port}/shop").status_code == 404
