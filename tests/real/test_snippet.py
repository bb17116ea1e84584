"""The snippet in a real Chromium, on a page with a strict content policy, against the real front.

What counts is what is in the log. Between page and front stands a storefront that can fail in all the ways a network
can; each promise about failing has its negative control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from livepost.bench.house import House
from livepost.clock import WallClock
from livepost.collect.snippet import load_snippet
from livepost.intake.context import CONSENT_EVENT
from livepost.intake.seal import CONTEXT, UNDECLARED, open_value
from livepost.model.record import Record, Verdict
from livepost.project import ecommerce
from livepost.project.event import Event, event_name
from tests.real.storefront import Fault, Storefront, serving, wait_until

GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });"
NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } });"
)
NO_BEACON = "Navigator.prototype.sendBeacon = () => false;"
NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });"
KEPT = """() => {
    try { return Object.keys(localStorage).filter((key) => key.startsWith("livepost.queue.")).length }
    catch { return 0 }
}"""
QUIET_S = 1.0
"""How long nothing must have happened, where nothing may: five times what calls are gathered for."""


class Front:
    """The real front on a data folder of its own, and its log since the test began."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.key = house.folder.keys.new("write", "web", WallClock().now_ms()).key
        self.begin = -1

    def start(self) -> None:
        """Start the front's process."""
        self.house.folder.port_file.unlink(missing_ok=True)
        self.house.start(["front"])

    def stop(self) -> None:
        """End the front's process."""
        self.house.stop(["front"])

    def records(self) -> list[Record]:
        """Return the events in the log since the test began."""
        with closing(self.house.folder.log_reader()) as log:
            return [one for block in log.read(self.begin, 100_000) for one in block.records() if one.name]

    def names(self) -> list[str]:
        """Return the names of the events since the test began."""
        return [record.name for record in self.records()]

    def opened(self, record: Record, field: str) -> Any:
        """Return what is sealed in a record."""
        with closing(self.house.folder.vault(readonly=True)) as vault:
            sealed = record.sealed_value(field)
            assert sealed is not None
            return open_value(vault.keys(record.subject), self.house.folder.settings.workspace, sealed)


class Visit:
    """A person with a browser in the shop: pages, and what went wrong on them."""

    def __init__(self, context: BrowserContext, shop: Storefront, front: Front) -> None:
        self.context = context
        self.shop = shop
        self.front = front
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """Open a tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.warnings.append(said.text) if "livepost:" in said.text else None)
        return page

    def open(self, path: str = "/shop/", host: str = "localhost", tab: Page | None = None) -> Page:
        """Open a page of the shop and wait for the snippet."""
        page = tab or self.page
        page.goto(self.shop.address(path, host))
        page.wait_for_function("() => window.livepost && livepost.version")
        return page

    def say(self, words: str, tab: Page | None = None) -> Any:
        """Run a line of the shop's own script."""
        return (tab or self.page).evaluate(f"() => {{ {words} }}")

    def leaves(self, words: str, address: str = "about:blank") -> None:
        """Leave for another page, with words of the shop's own script on the way out."""
        self.say(f"addEventListener('beforeunload', () => {{ {words} }})")
        self.page.goto(address)

    def kept(self) -> int:
        """Return how many calls the browser keeps."""
        found: int = self.page.evaluate(KEPT)
        return found

    def stored(self) -> list[str]:
        """Return the keys of all that the browser stores for the shop."""
        found: list[str] = self.page.evaluate("() => Object.keys(localStorage)")
        return found

    def hears(self, *names: str) -> None:
        """Wait until the log has these events since the test began, and no other, and the browser knows it."""
        wait_until(f"{names} in the log", lambda: len(self.front.names()) >= len(names))
        wait_until("an empty queue", lambda: self.kept() == 0)
        assert Counter(self.front.names()) == Counter(names)

    def warned(self) -> list[str]:
        """Return the snippet's warnings so far."""
        self.page.evaluate("() => 0")  # lets Playwright hear of them
        return self.warnings

    def rests(self) -> None:
        """Let the time pass in which whatever may not happen would have happened."""
        self.page.wait_for_timeout(QUIET_S * 1000)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with House(tmp_path_factory.mktemp("house")) as house:
        front = Front(house)
        front.start()
        yield front


@pytest.fixture
def front(running: Front) -> Front:
    with closing(running.house.folder.log_reader()) as log:
        running.begin = log.last().seq
    return running


@pytest.fixture
def shop(front: Front) -> Iterator[Storefront]:
    with serving(Storefront(front.key, lambda: front.house.folder.port)) as one:
        yield one


@pytest.fixture
def visiting(chromium: Browser, shop: Storefront, front: Front) -> Iterator[Callable[..., Visit]]:
    open_contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def visit(*scripts: str, **options: Any) -> Visit:
        context = chromium.new_context(locale="de-AT", timezone_id="Europe/Vienna", **options)
        open_contexts.append(context)
        for script in scripts:
            context.add_init_script(script)
        visits.append(Visit(context, shop, front))
        return visits[-1]

    yield visit
    for context in open_contexts:
        context.close()
    assert [error for one in visits for error in one.errors] == [], "the snippet threw into the page"


@pytest.fixture
def visit(visiting: Callable[..., Visit]) -> Visit:
    return visiting()


def ids(records: list[Record]) -> Counter[str]:
    """Return how often each messageId is in the log."""
    return Counter(record.message_id for record in records)


def once_each(records: list[Record]) -> bool:
    """Say whether no messageId is in the log twice."""
    return set(ids(records).values()) <= {1}


def test_opening_a_page_is_a_page_view_in_the_log(visit: Visit, shop: Storefront, front: Front) -> None:
    visit.open("/shop/tea?utm_source=mail&utm_campaign=spring&q=x#part")
    visit.hears("$page")
    (record,) = front.records()
    assert record.verdict is Verdict.ACCEPTED
    assert record.context["locale"] == "de-AT" and record.context["timezone"] == "Europe/Vienna"
    assert record.context["campaign"] == {"source": "mail", "name": "spring"}
    assert record.context["library"] == {"name": "livepost.js", "version": "0.1.0"}
    sealed = front.opened(record, CONTEXT)
    search = "?utm_source=mail&utm_campaign=spring&q=x"
    assert sealed["page"]["url"] == shop.address("/shop/tea") + search
    assert (sealed["page"]["path"], sealed["page"]["search"]) == ("/shop/tea", search)
    assert {"userAgent", "screen"} <= sealed.keys() and "globalPrivacyControl" not in sealed
    assert abs(record.effective_ts - record.received_at) < 60_000


def test_calls_need_no_preflight_and_bring_no_cookie(visit: Visit, shop: Storefront) -> None:
    visit.open()
    visit.hears("$page")
    (batch,) = shop.batches()
    assert batch.headers["content-type"].startswith("text/plain")
    assert not {"cookie", "authorization"} & batch.headers.keys()
    assert [one for one in shop.seen if one.method == "OPTIONS"] == []
    assert visit.context.cookies() == []


def test_the_page_is_told_of_each_acknowledgement_whose_it_is_and_where_it_stands(
    visit: Visit, shop: Storefront, front: Front
) -> None:
    visit.context.add_init_script("document.addEventListener('livepost', (e) => (window.told ??= []).push(e.detail))")
    shop.attributes = 'data-auto-page="false"'
    visit.open()
    visit.say("window.before = performance.now(); livepost.track('1')")
    visit.hears("1")
    wait_until("the event", lambda: visit.page.evaluate("() => window.told?.length"))
    (told,) = visit.page.evaluate("() => window.told")
    assert told["anonymousId"] == shop.calls()[0]["anonymousId"]
    with closing(front.house.folder.log_reader()) as log:
        assert told["position"] == log.last().seq
    assert visit.page.evaluate("() => told[0].sentAt >= before && told[0].sentAt <= performance.now()")


def test_the_page_is_told_nothing_of_what_was_not_taken(visit: Visit, shop: Storefront) -> None:
    visit.context.add_init_script("document.addEventListener('livepost', (e) => (window.told ??= []).push(e.detail))")
    shop.faults = [Fault(503, "30")]
    visit.open()
    wait_until("a failed attempt", shop.batches)
    visit.rests()
    assert visit.page.evaluate("() => window.told") is None


@pytest.mark.parametrize(("attribute", "soonest_ms"), [("", 200), ('data-gather="0"', 0)])
def test_calls_are_gathered_or_sent_at_once_where_the_page_says_so(
    visit: Visit, shop: Storefront, attribute: str, soonest_ms: int
) -> None:
    shop.attributes = f'data-auto-page="false" {attribute}'
    visit.context.add_init_script("document.addEventListener('livepost', (e) => (window.sent = e.detail.sentAt))")
    visit.open()
    took = []
    for number in range(6):
        visit.say(f"window.sent = undefined; window.said = performance.now(); livepost.track('{number}')")
        wait_until("the event", lambda: visit.page.evaluate("() => window.sent"))
        took.append(visit.page.evaluate("() => sent - said"))
    first, *later = took  # the first may travel with what the page's load had begun to gather
    assert first < soonest_ms + 1_000
    assert soonest_ms <= min(later) < soonest_ms + 100


def test_the_browser_runs_exactly_what_is_served(visit: Visit, shop: Storefront) -> None:
    with visit.page.expect_response("**/livepost.js") as answered:
        visit.open()
    assert answered.value.body() == load_snippet().plain.body
    assert answered.value.headers["content-encoding"] == "gzip"


def test_pages_of_a_single_page_app_are_seen_once_per_address(visit: Visit, shop: Storefront) -> None:
    visit.open("/shop/a")
    visit.say("history.pushState({}, '', '/shop/b'); document.title = 'B'")
    visit.hears("$page", "$page")
    visit.say("history.replaceState({ scroll: 9 }, '', '/shop/b')")
    visit.say("history.replaceState({}, '', '/shop/c?x=1')")
    visit.hears("$page", "$page", "$page")
    visit.page.go_back()
    visit.hears("$page", "$page", "$page", "$page")
    assert [(call["properties"]["path"], call["properties"]["referrer"]) for call in shop.calls()] == [
        ("/shop/a", ""),
        ("/shop/b", shop.address("/shop/a")),
        ("/shop/c", shop.address("/shop/b")),
        ("/shop/a", shop.address("/shop/c?x=1")),
    ]
    assert shop.calls()[1]["properties"]["title"] == "B"


def test_automatic_page_views_can_be_switched_off(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-auto-page="false"'
    visit.open()
    visit.say("history.pushState({}, '', '/shop/b')")
    visit.rests()
    assert visit.front.names() == []
    visit.say("livepost.page('Home', { shelf: 3 })")
    visit.hears("$page")
    assert (shop.calls()[0]["name"], shop.calls()[0]["properties"]["shelf"]) == ("Home", 3)


def test_clicks_are_told_by_attribute(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-auto-page="false"'
    shop.body = """<button data-livepost-track="Product Added" data-livepost-prop-product-id="tea-1"
        data-livepost-props='{"quantity": 2}'><b>Add</b></button><i>nothing</i>"""
    visit.open()
    visit.page.click("i")
    visit.page.click("b")
    visit.hears("Product Added")
    assert shop.calls()[0]["properties"] == {"product_id": "tea-1", "quantity": 2}
    assert visit.front.records()[0].properties == {"product_id": "tea-1"}


def test_a_person_keeps_the_ids_until_reset_and_another_user_is_another_person(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-auto-page="false"'
    visit.open()
    visit.say("livepost.track('1'); livepost.identify('ada', { firstName: 'Ada' }); livepost.track('2')")
    visit.hears("1", "$identify", "2")
    visit.open()
    visit.say("livepost.track('3'); livepost.identify('bob'); livepost.reset(); livepost.track('4')")
    visit.hears("1", "$identify", "2", "3", "$identify", "4")
    told = [(call.get("event"), call["anonymousId"], call.get("userId")) for call in shop.calls()]
    (_, ada, _), (_, bob, _), (_, nobody, _) = told[0], told[4], told[5]
    assert len({ada, bob, nobody}) == 3
    assert [one[1] for one in told] == [ada] * 4 + [bob, nobody]
    assert [one[2] for one in told] == [None, "ada", "ada", "ada", "bob", None]
    assert shop.calls()[1]["traits"] == {"firstName": "Ada"}
    assert len(set(ids(visit.front.records()))) == 6


def test_calls_before_the_snippet_is_there_are_made_in_their_order(visit: Visit, shop: Storefront) -> None:
    visit.context.add_init_script(
        "window.livepost = [['identify', 'ada'], ['track', 'Early', { n: 1 }], ['nonsense']];"
    )
    visit.open()
    visit.hears("$identify", "Early", "$page")
    assert [call.get("event", call["type"]) for call in shop.calls()] == ["identify", "Early", "page"]
    assert {call["userId"] for call in shop.calls()} == {"ada"}
    visit.say("livepost.push(['track', 'Late'])")
    visit.hears("$identify", "Early", "$page", "Late")
    assert len(visit.warned()) == 1


def test_each_ecommerce_word_tells_segments_event(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-auto-page="false"'
    visit.open()
    visit.say("livepost.productViewed({ product_id: 'a' }); livepost.productAddedToWishlist({ product_id: 'a' })")
    visit.say("livepost.orderCompleted({ order_id: 'o', total: 9.5, currency: 'USD' })")
    visit.hears("Product Viewed", "Product Added to Wishlist", "Order Completed")
    words = set(visit.page.evaluate("() => Object.keys(livepost)"))
    kinds = [one for one in vars(ecommerce).values() if isinstance(one, type) and issubclass(one, Event)]
    names = {event_name(kind) for kind in kinds} - {
        "Event",
        "Product Event",
        "Order Event",
        "Checkout Step",
        "Coupon Event",
    }
    told = {name[0].lower() + name.title().replace(" ", "")[1:] for name in names}
    assert words == told | {"version", "page", "track", "identify", "consent", "reset", "push"}


def test_where_consent_is_required_nothing_is_stored_or_sent_before(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-consent="required"'
    visit.open()
    visit.say("livepost.track('Waits')")
    visit.page.reload()
    visit.page.wait_for_function("() => window.livepost && livepost.version")
    visit.say("livepost.identify('ada'); livepost.track('Waits too')")
    visit.rests()
    assert (visit.stored(), visit.context.cookies(), shop.batches(), visit.front.names()) == ([], [], [], [])
    visit.say("livepost.consent({ analytics: true, Marketing: false })")
    visit.hears("$page", "$identify", "Waits too", CONSENT_EVENT)
    (told,) = [record for record in visit.front.records() if record.name == CONSENT_EVENT]
    assert told.context["consent"] == {"analytics": True, "marketing": False}
    visit.open()
    visit.hears("$page", "$identify", "Waits too", CONSENT_EVENT, "$page")


def test_without_that_word_the_same_page_is_sent_at_once(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-consent="asked elsewhere"'
    visit.open()
    visit.hears("$page")
    assert visit.stored() != []


def test_a_refusal_stores_and_sends_nothing_and_forgets_what_waited(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-consent="required"'
    visit.open()
    visit.say("livepost.consent({ analytics: false }); livepost.track('After a refusal')")
    visit.say("livepost.consent({}); livepost.consent({ analytics: null })")
    visit.rests()
    assert (visit.stored(), shop.batches()) == ([], [])
    visit.say("livepost.consent({ analytics: true }); livepost.track('Allowed')")
    visit.hears(CONSENT_EVENT, "Allowed")


def test_consent_taken_back_is_told_and_the_browser_forgets(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-consent="required" data-auto-page="false"'
    visit.open()
    visit.say("livepost.consent({ marketing: true })")
    visit.hears(CONSENT_EVENT)
    visit.say("livepost.track('Unsent'); livepost.consent({ marketing: false }); livepost.track('Never')")
    visit.hears(CONSENT_EVENT, CONSENT_EVENT)
    first, last = visit.front.records()
    assert (first.context["consent"], last.context["consent"]) == ({"marketing": True}, {"marketing": False})
    assert first.subject == last.subject
    wait_until("an empty store", lambda: visit.stored() == [])
    visit.rests()
    assert visit.front.names() == [CONSENT_EVENT, CONSENT_EVENT]


def test_consent_is_told_when_it_changes_and_not_with_each_call(visit: Visit, shop: Storefront) -> None:
    visit.open()
    visit.say("livepost.consent({ marketing: true }); livepost.track('X')")
    visit.hears("$page", CONSENT_EVENT, "X")
    visit.open()
    visit.say("livepost.consent({ marketing: true }); livepost.track('Y')")
    visit.hears("$page", CONSENT_EVENT, "X", "$page", "Y")
    visit.say("livepost.consent({ marketing: 'yes' })")
    visit.hears("$page", CONSENT_EVENT, "X", "$page", "Y", CONSENT_EVENT)
    told = [record.context["consent"] for record in visit.front.records() if "consent" in record.context]
    assert told == [{"marketing": True}, {"marketing": False}]


def test_global_privacy_control_refuses_sale_and_lets_nothing_allow_marketing(
    visiting: Callable[..., Visit], shop: Storefront
) -> None:
    visit = visiting(GPC)
    visit.open()
    visit.hears(CONSENT_EVENT, "$page")
    visit.open()
    visit.hears(CONSENT_EVENT, "$page", "$page")
    visit.say("livepost.consent({ analytics: true, Marketing: true, sale: true })")
    visit.hears(CONSENT_EVENT, "$page", "$page", CONSENT_EVENT)
    told = [record.context["consent"] for record in visit.front.records() if "consent" in record.context]
    assert told == [{"sale": False, "sharing": False}, {"sale": False, "sharing": False, "analytics": True}]
    assert {call["context"]["globalPrivacyControl"] for call in shop.calls()} == {True}


def test_without_it_the_same_words_do(visit: Visit) -> None:
    visit.open()
    visit.say("livepost.consent({ analytics: true, Marketing: true, sale: true })")
    visit.hears("$page", CONSENT_EVENT)
    assert visit.front.records()[1].context["consent"] == {"analytics": True, "marketing": True, "sale": True}


def test_switched_on_later_it_takes_back_what_this_browser_allowed(visit: Visit) -> None:
    visit.open()
    visit.say("livepost.consent({ marketing: true, analytics: true })")
    visit.hears("$page", CONSENT_EVENT)
    visit.context.add_init_script(GPC)
    visit.open()
    visit.hears("$page", CONSENT_EVENT, "$page", CONSENT_EVENT)
    told = [record.context["consent"] for record in visit.front.records() if "consent" in record.context]
    assert told[1] == {"marketing": False, "analytics": True, "sale": False, "sharing": False}


def test_where_consent_is_required_it_does_not_count_as_the_choice(
    visiting: Callable[..., Visit], shop: Storefront
) -> None:
    shop.attributes = 'data-consent="required"'
    visit = visiting(GPC)
    visit.open()
    visit.rests()
    assert (visit.stored(), shop.batches()) == ([], [])
    visit.say("livepost.consent({ analytics: true })")
    visit.hears("$page", CONSENT_EVENT)


def test_calls_survive_a_reload_while_the_front_is_down(visit: Visit, shop: Storefront, front: Front) -> None:
    visit.open()
    visit.hears("$page")
    front.stop()
    try:
        visit.say("livepost.track('While down', { n: 1 })")
        wait_until("a failed attempt", lambda: shop.batches()[-1].status == 0)
        visit.open()
        visit.say("livepost.track('While down', { n: 2 })")
        assert visit.kept() == 3
    finally:
        front.start()
    visit.hears("$page", "While down", "$page", "While down")
    wait_until("an empty queue", lambda: visit.kept() == 0)
    assert once_each(front.records())


def test_a_queue_in_memory_only_would_lose_them(visiting: Callable[..., Visit], shop: Storefront, front: Front) -> None:
    visit = visiting(NO_STORAGE, NO_BEACON)
    shop.faults = [Fault()] * 3
    visit.open()
    visit.say("livepost.track('Lost')")
    wait_until("a failed attempt", shop.batches)
    shop.faults = []
    visit.open("/shop/next")
    visit.hears("$page")
    visit.rests()
    assert front.names() == ["$page"]


def test_busy_and_failing_answers_are_waited_out_with_nothing_lost_and_nothing_twice(
    visit: Visit, shop: Storefront, front: Front
) -> None:
    shop.attributes = 'data-auto-page="false"'
    shop.faults = [Fault(503, "1"), Fault(429, "2"), Fault()]
    visit.open()
    visit.say("for (let n = 0; n < 20; n++) livepost.track('Kept', { n })")
    visit.hears(*["Kept"] * 20)
    first, second, third = (one.at for one in shop.batches()[:3])
    assert second - first >= 1.0 and third - second >= 2.0
    assert [one.status for one in shop.batches()] == [503, 429, 0, 200]
    assert once_each(front.records())
    assert len({tuple(call["messageId"] for call in one.calls()) for one in shop.batches()}) == 1
    assert [call["properties"]["n"] for call in shop.calls()] == list(range(20))


@pytest.mark.parametrize("fault", [Fault(500), Fault(403), Fault(502, "Sun, 22 Nov 2026 07:00:00 GMT")])
def test_any_other_answer_is_tried_again_too(visit: Visit, shop: Storefront, front: Front, fault: Fault) -> None:
    shop.faults = [fault]
    visit.open()
    visit.hears("$page")
    assert [one.status for one in shop.batches()] == [fault.status, 200]
    assert shop.batches()[1].at - shop.batches()[0].at >= 0.5


def test_a_lost_answer_brings_the_same_calls_again_which_count_once(
    visit: Visit, shop: Storefront, front: Front
) -> None:
    shop.attributes = 'data-auto-page="false"'
    shop.faults = [Fault(lost=True)]
    visit.open()
    visit.say("livepost.track('Twice')")
    wait_until("the second time", lambda: len(front.records()) == 2)
    one, other = front.records()
    assert (one.message_id, one.content_hash) == (other.message_id, other.content_hash)
    wait_until("an empty queue", lambda: visit.kept() == 0)


def test_a_pause_asked_for_holds_on_the_next_page_too(visit: Visit, shop: Storefront) -> None:
    shop.faults = [Fault(503, "3")]
    visit.open()
    wait_until("the pause to be kept", lambda: visit.say("return localStorage.getItem('livepost.pause') !== null"))
    visit.open("/shop/next")
    visit.hears("$page", "$page")
    assert shop.batches()[1].at - shop.batches()[0].at >= 3.0


def test_of_a_refused_piece_only_the_call_that_is_wrong_is_dropped(
    visit: Visit, shop: Storefront, front: Front
) -> None:
    shop.attributes = 'data-auto-page="false"'
    visit.open()
    wrong = 'localStorage.setItem(\'livepost.queue.0\', \'{"type": "track", "event": \');'
    visit.say(wrong + "for (let n = 0; n < 9; n++) livepost.track('Good', { n })")
    visit.hears(*["Good"] * 9)
    wait_until("an empty queue", lambda: visit.kept() == 0)
    assert once_each(front.records())
    assert len(visit.warned()) == 1 and "(400)" in visit.warned()[0]


def test_with_a_wrong_key_nothing_more_is_sent_and_nothing_is_lost(visit: Visit, shop: Storefront) -> None:
    shop.key = "lp_write_wrong"
    visit.open()
    wait_until("a warning", visit.warned)
    visit.say("livepost.track('Kept')")
    visit.rests()
    assert (len(shop.batches()), shop.batches()[0].status, visit.kept()) == (1, 401, 2)
    shop.key = visit.front.key
    visit.open("/shop/next")
    visit.hears("$page", "Kept", "$page")


def test_what_is_left_when_the_page_goes_is_sent_by_beacon(visit: Visit, shop: Storefront, front: Front) -> None:
    visit.open()
    visit.hears("$page")
    visit.leaves("livepost.track('Last Words')")
    wait_until("the last words", lambda: front.names() == ["$page", "Last Words"] and len(shop.batches()) > 1)
    (beacon,) = shop.batches()[1:]
    assert beacon.headers["sec-fetch-mode"] == "no-cors"


def test_without_a_beacon_it_waits_for_the_next_page(visiting: Callable[..., Visit], shop: Storefront) -> None:
    visit = visiting(NO_BEACON)
    visit.open()
    visit.hears("$page")
    visit.leaves("livepost.track('Last Words')")
    visit.rests()
    assert visit.front.names() == ["$page"]
    visit.open()
    visit.hears("$page", "Last Words", "$page")


def test_what_a_beacon_took_is_sent_again_with_the_same_id_since_nobody_heard_the_answer(
    visit: Visit, front: Front
) -> None:
    visit.open()
    visit.hears("$page")
    visit.leaves("livepost.track('Last Words')", visit.shop.address("/shop/next"))
    wait_until("it again", lambda: front.names().count("Last Words") == 2)
    assert len({(one.message_id, one.content_hash) for one in front.records() if one.name == "Last Words"}) == 1


def test_beacons_are_at_most_64_kb(visit: Visit, shop: Storefront) -> None:
    visit.open()
    visit.hears("$page")
    big = "for (let n = 0; n < 9; n++) livepost.track('Big', { text: 'ü'.repeat(7000) });"
    visit.leaves(big)
    wait_until("a beacon", lambda: len(shop.batches()) > 1)
    visit.open()
    wait_until("the rest", lambda: visit.kept() == 0)
    assert sorted(set(visit.front.names())) == ["$page", "Big"]
    assert len({one.message_id for one in visit.front.records() if one.name == "Big"}) == 9
    assert max(len(one.body.encode()) for one in shop.batches()) <= 64 * 1024


def test_two_tabs_do_not_send_the_same_call_at_one_time(visiting: Callable[..., Visit], shop: Storefront) -> None:
    assert set(sent_by_two_tabs(visiting(), shop).values()) == {1}


def test_without_locks_they_do_and_the_messageids_tell(visiting: Callable[..., Visit], shop: Storefront) -> None:
    twice = sent_by_two_tabs(visiting(NO_LOCKS), shop)
    assert len(twice) == 10 and max(twice.values()) == 2


def sent_by_two_tabs(visit: Visit, shop: Storefront) -> Counter[str]:
    """Return how often each of ten calls is in the log, made while the front was slow and two tabs were open."""
    shop.attributes = 'data-auto-page="false"'
    shop.faults = [Fault(503, "2")]
    visit.open()
    other = visit.tab()
    visit.open(tab=other)
    visit.say("for (let n = 0; n < 10; n++) livepost.track('Shared', { n })")
    wait_until("the pause", lambda: "livepost.pause" in visit.stored())
    shop.delay_s = 1.0
    visit.open("/shop/reloaded", tab=other)
    wait_until("an empty queue", lambda: visit.kept() == 0)
    return ids(visit.front.records())


def test_the_queue_is_bounded_and_tells_what_it_dropped(visit: Visit, shop: Storefront, front: Front) -> None:
    shop.attributes = 'data-auto-page="false"'
    shop.faults = [Fault(503, "4")]
    visit.open()
    visit.say("livepost.track('First')")
    wait_until("the pause", lambda: "livepost.pause" in visit.stored())
    visit.say("for (let n = 0; n < 505; n++) livepost.track('Many', { n })")
    assert visit.kept() == 500
    wait_until("an empty queue", lambda: visit.kept() == 0)
    visit.say("livepost.track('Last')")
    wait_until("the last, answered too", lambda: len(front.records()) == len(shop.calls()) == 501)
    assert [call["properties"]["n"] for call in shop.calls()[:-1]] == list(range(5, 505))
    assert sum(call["context"].get("dropped", 0) for call in shop.calls()) == 6


def test_the_queue_is_bounded_in_characters_and_a_call_in_bytes(visit: Visit, shop: Storefront) -> None:
    shop.attributes = 'data-auto-page="false"'
    shop.faults = [Fault(503, "60")]
    visit.open()
    visit.say("livepost.track('First')")
    wait_until("the pause", shop.batches)
    visit.say("for (let n = 0; n < 20; n++) livepost.track('Big', { text: 'x'.repeat(25000) })")
    size = visit.page.evaluate("() => Object.values(localStorage).reduce((sum, text) => sum + text.length, 0)")
    assert visit.kept() == 15 and size <= 400_000 + 1_000
    visit.say("livepost.track('Too Big', { text: 'ü'.repeat(16000) })")
    assert visit.kept() == 15 and "32000 bytes" in visit.warned()[-1]


def test_without_storage_calls_are_sent_from_memory(visiting: Callable[..., Visit], shop: Storefront) -> None:
    visit = visiting(NO_STORAGE)
    visit.open()
    visit.say("livepost.track('X')")
    visit.hears("$page", "X")
    wait_until("the answers, which no queue waits for here", lambda: len(shop.calls()) == 2)
    assert len({call["anonymousId"] for call in shop.calls()}) == 1


def test_a_page_without_https_has_ids_too(visit: Visit, shop: Storefront) -> None:
    visit.open(host="shop.test")
    assert visit.page.evaluate("() => [isSecureContext, !!crypto.randomUUID, !!navigator.locks]") == [False] * 3
    visit.say("livepost.track('X')")
    visit.hears("$page", "X")
    found = [call["messageId"] for call in shop.calls()] + [shop.calls()[0]["anonymousId"]]
    assert len({one for one in found if len(one) == 32}) == 3


def test_nothing_that_a_page_says_wrong_throws_into_it(visit: Visit) -> None:
    visit.open()
    visit.say("const ring = {}; ring.ring = ring; livepost.track('Ring', ring)")
    visit.say("livepost.push(5); livepost.track('X', { n: 1n })")
    visit.say("livepost.identify(null, null); livepost.page(null, null); livepost.consent(null); livepost.reset('x')")
    visit.say("livepost.track('Fine')")
    wait_until("the last word", lambda: "Fine" in visit.front.names())
    assert len(visit.warned()) == 3


def test_a_policy_that_does_not_name_the_collector_is_the_pages_own_business(visit: Visit, shop: Storefront) -> None:
    shop.csp = "default-src 'none'; script-src {collector}"
    visit.open()
    visit.say("livepost.track('X')")
    visit.rests()
    assert (visit.front.names(), visit.kept()) == ([], 2)
    shop.csp = "default-src 'none'; connect-src {collector}"
    visit.page.goto(shop.address())
    visit.rests()
    assert visit.page.evaluate("() => typeof livepost") == "undefined"


def test_the_pixel_works_without_javascript(visiting: Callable[..., Visit], shop: Storefront) -> None:
    asked = f"writeKey={shop.key}&amp;event=Seen&amp;anonymousId=a1&amp;prop.place=footer"
    shop.body = f'<noscript><img src="{{collector}}/v1/pixel.gif?{asked}" alt=""></noscript>'.format(
        collector=shop.collector
    )
    visit = visiting(java_script_enabled=False)
    visit.page.goto(shop.address())
    visit.hears("Seen")
    (record,) = visit.front.records()
    assert visit.front.opened(record, UNDECLARED) == {"place": "footer"}
    assert visit.context.cookies() == []


def test_a_batch_brings_the_key_and_nothing_besides(visit: Visit, shop: Storefront) -> None:
    visit.open()
    visit.hears("$page")
    told = msgspec.json.decode(shop.batches()[0].body)
    assert (told["writeKey"], told.keys()) == (shop.key, {"writeKey", "sentAt", "batch"})
