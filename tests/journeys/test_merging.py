"""Two people on their way in one campaign turn out to be one: one mail, not two, and by the later of what both said."""

from typing import Any

import msgspec
import pytest
from shop import AccountOpened, OrderCompleted, ProductAdded, ProductViewed, abandoned_cart, browse_reminder, greeting

from livepost import Money, days, hours
from livepost.decide import stage
from livepost.intake.call import Call
from livepost.ledger import facts
from livepost.model.decision import ConsentChange
from livepost.model.journal import Consent
from livepost.model.record import KeyKind
from livepost.testing import Rehearsal

MERGED = "no mail: the same mail went to them under another name"
PRODUCTS = ("tea", "pot", "cup")


def looks_around(shop: Rehearsal, **who: Any) -> None:
    """Let somebody look at three products, which starts `browse_reminder`: a mail two hours later."""
    shop.happens(*[ProductViewed(product_id=product, **who) for product in PRODUCTS])


def two_customers(shop: Rehearsal) -> None:
    """Let the shop know two customers who allow marketing; both addresses are one person's."""
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.knows("bob", email="ada@example.org", allows="marketing")


def one_sent_the_other_waiting(shop: Rehearsal) -> None:
    """Let both begin an hour from each other; Ada's mail goes, then they turn out to be one."""
    two_customers(shop)
    looks_around(shop, person="ada")
    shop.wait(hours(1))
    looks_around(shop, person="bob")
    shop.wait(hours(1))
    assert [mail.to for mail in shop.outbox] == ["ada@example.com"]
    shop.alias("ada", "bob")
    shop.wait(hours(3))


def test_two_who_wait_in_one_campaign_get_the_mail_of_who_entered_first(shop: Rehearsal) -> None:
    two_customers(shop)
    looks_around(shop, person="bob")
    shop.wait(hours(1))
    looks_around(shop, person="ada")
    began = shop.now
    shop.alias("ada", "bob")
    shop.wait(hours(4))
    assert [mail.at - began for mail in shop.outbox] == [hours(1)]


def test_without_the_alias_both_get_theirs(shop: Rehearsal) -> None:
    two_customers(shop)
    looks_around(shop, person="bob")
    shop.wait(hours(1))
    looks_around(shop, person="ada")
    shop.wait(hours(4))
    assert sorted(mail.person for mail in shop.outbox) == ["ada", "bob"]


def test_who_waits_gets_none_if_the_other_was_sent_theirs_meanwhile(shop: Rehearsal) -> None:
    one_sent_the_other_waiting(shop)
    assert len(shop.outbox) == 1
    assert MERGED in shop.why("ada", browse_reminder)


def test_without_the_check_at_the_claim_it_would_be_two(shop: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_keeps_out", lambda other, mine: False)
    one_sent_the_other_waiting(shop)
    assert len(shop.outbox) == 2


def test_a_mail_of_long_ago_keeps_out_nothing_that_one_person_would_get(shop: Rehearsal) -> None:
    two_customers(shop)
    looks_around(shop, person="ada")
    shop.wait(days(8))
    looks_around(shop, person="bob")
    shop.wait(hours(1))
    shop.alias("ada", "bob")
    shop.wait(hours(1))
    assert len(shop.outbox) == 2


def test_a_visitor_whom_no_mail_could_reach_keeps_out_nothing(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    looks_around(shop, anonymous="telephone")
    shop.wait(hours(1))
    looks_around(shop, person="ada")
    shop.wait(hours(1))
    assert shop.outbox == []  # the visitor's was decided: there is no consent, and no address
    shop.knows("ada", anonymous="telephone")
    shop.wait(hours(1))
    assert [mail.to for mail in shop.outbox] == ["ada@example.com"]


def test_the_cap_counts_the_mails_of_both(shop: Rehearsal) -> None:
    two_customers(shop)
    for _ in range(2):
        looks_around(shop, person="ada")
        shop.wait(days(8))
    assert len(shop.outbox) == 2
    looks_around(shop, person="bob")
    shop.alias("ada", "bob")
    shop.wait(hours(2))
    assert len(shop.outbox) == 2
    assert shop.why("ada", browse_reminder).startswith("no mail: the cap is reached, 2 of 2 in 30 days")


def test_what_one_entered_for_good_the_other_does_not_enter_again(shop: Rehearsal) -> None:
    two_customers(shop)
    shop.happens(AccountOpened(person="bob"))
    shop.alias("ada", "bob")
    shop.happens(AccountOpened(person="ada"))
    assert [mail.campaign for mail in shop.outbox] == [greeting.name]


def test_what_one_bought_ends_what_the_other_waits_for(shop: Rehearsal) -> None:
    two_customers(shop)
    shop.happens(OrderCompleted(person="bob", order_id="1", total=Money("12.00", "USD")))
    looks_around(shop, person="ada")
    shop.alias("ada", "bob")
    shop.wait(hours(3))
    assert shop.outbox == []
    assert "the person left the audience" in shop.why("ada", browse_reminder)


def test_a_withdrawal_of_one_that_is_later_than_the_others_consent_holds_for_both(shop: Rehearsal) -> None:
    two_customers(shop)
    looks_around(shop, person="ada")
    shop.wait(hours(1))
    shop.withdraw("bob", "marketing")
    shop.alias("ada", "bob")
    shop.wait(hours(3))
    assert shop.outbox == []
    assert "no consent for this purpose" in shop.why("ada", browse_reminder)


def test_a_consent_of_one_that_is_later_than_the_others_withdrawal_holds_for_both(shop: Rehearsal) -> None:
    two_customers(shop)
    shop.withdraw("bob", "marketing")
    shop.wait(hours(1))
    shop.consents("ada", "marketing")
    looks_around(shop, person="ada")
    shop.alias("ada", "bob")
    shop.wait(hours(3))
    assert len(shop.outbox) == 1


def test_a_suppressed_address_stays_suppressed(shop: Rehearsal) -> None:
    two_customers(shop)
    looks_around(shop, person="bob")
    shop.house.ledger.suppress(shop.house.vault.blind("suppression", "ada@example.org"), "bounced", 0)
    shop.alias("ada", "bob")
    shop.wait(hours(3))
    assert shop.outbox == []  # of the two addresses Bob's was told last
    assert "suppressed" in shop.why("ada", browse_reminder)


def test_two_carts_left_on_two_devices_bring_one_mail(shop: Rehearsal) -> None:
    """The visitor's cart is decided under nobody's name; who signs in meanwhile is mailed about it once."""
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(ProductAdded(anonymous="telephone", product_id="tea"))
    shop.happens(ProductAdded(person="ada", product_id="pot"))
    shop.wait(hours(1))
    shop.knows("ada", anonymous="telephone")
    shop.wait(days(2))
    assert [(mail.campaign, mail.person) for mail in shop.outbox] == [(abandoned_cart.name, "ada")]


def granted_before_and_merged_after_an_unsubscribe(shop: Rehearsal) -> None:
    """Let a visitor allow marketing, Ada unsubscribe an hour later, and the visitor turn out to be Ada: between an
    unsubscribe and its echo in the log the ledger alone knows of it.
    """
    shop.knows("ada", email="ada@example.com")
    ada = shop.house.subject("ada")
    assert ada is not None
    allowed = {"consent": {"categoryPreferences": {"marketing": True}}}
    shop.house.take([Call(type="page", anonymous_id="telephone", context=allowed)], KeyKind.WRITE)
    shop.wait(hours(1))
    shop.house.ledger.withdraw(ada, "marketing", shop.house.clock.now_ms(), "link")
    shop.wait(hours(1))
    shop.alias("ada", "telephone")
    shop.happens(AccountOpened(person="ada"))


def test_a_grant_of_before_an_unsubscribe_lifts_it_for_nobody_though_it_comes_by_a_merge(shop: Rehearsal) -> None:
    granted_before_and_merged_after_an_unsubscribe(shop)
    assert shop.outbox == []
    assert "no consent for this purpose" in shop.why("ada", greeting)


def test_told_as_of_the_merge_such_a_grant_would_lift_it(shop: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    rightly = stage._consent_change

    def as_of_now(person: bytes, purpose: str, said: Consent, position: int) -> ConsentChange:
        return msgspec.structs.replace(rightly(person, purpose, said, position), at=shop.house.clock.now_ms())

    monkeypatch.setattr(stage, "_consent_change", as_of_now)
    granted_before_and_merged_after_an_unsubscribe(shop)
    assert len(shop.outbox) == 1
