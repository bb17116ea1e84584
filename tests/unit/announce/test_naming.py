"""What a target that knows people by pseudonyms is told: nothing that another target is told alike."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from livepost.announce.naming import PLAIN, renamed
from livepost.announce.notice import Notice
from livepost.api.happening import DecisionTold, GapTold, Happening, Message, Place, ReceiptTold, TransitionTold
from livepost.runtime.courier.announcing import notice_of
from livepost.vault.pseudonym import Pseudonyms

SECRET = bytes(range(32))
CRM, ADS = Pseudonyms(SECRET, "webhook:crm"), Pseudonyms(SECRET, "webhook:ads")
ADA, MAIL = b"a" * 16, b"m" * 16
_MOVE: dict[str, Any] = {"person": ADA.hex(), "campaign": "back", "reason": "r", "detail": "said 4711", "at": 7}
MESSAGES: tuple[Message, ...] = (
    TransitionTold(id=b"t".hex() * 16, person=ADA.hex(), segment="browsing", state="entered", at=7, position=91),
    DecisionTold(id=MAIL.hex(), state="pending", position=92, **_MOVE),
    ReceiptTold(id=MAIL.hex(), state="sent", position=93, **_MOVE),
)


def told(message: Message, to: Pseudonyms) -> tuple[str, dict[str, Any]]:
    notice = notice_of(Happening(4, message, "e"), Place("e", 4, 4))
    id, body = renamed(notice.id, notice.body(), to)
    return id, json.loads(body)


def values(told: Any) -> set[str]:
    """Return every value of a message but what says of what kind it is, and when."""
    if isinstance(told, dict):
        plain = {"type", "timestamp", *PLAIN}
        return {one for name, value in told.items() if name not in plain for one in values(value)}
    return {one for value in told for one in values(value)} if isinstance(told, list) else {str(told)}


def test_two_targets_share_no_value_that_names_somebody_or_something() -> None:
    for message in MESSAGES:
        (one, to_crm), (other, to_ads) = told(message, CRM), told(message, ADS)
        assert values(to_crm) & values(to_ads) == set()
        assert one == to_crm["id"] != other
        assert ADA.hex() not in json.dumps(to_crm)


def test_the_check_sees_targets_that_share_their_key() -> None:
    """The negative control."""
    assert values(told(MESSAGES[0], CRM)[1]) & values(told(MESSAGES[0], CRM)[1])


def test_one_target_knows_a_person_and_a_mail_again() -> None:
    transition, decision, receipt = (told(message, CRM)[1]["data"] for message in MESSAGES)
    assert transition["person"] == decision["person"] == receipt["person"] == CRM.of(ADA).hex()
    assert decision["id"] == receipt["id"] == CRM.of(MAIL).hex()
    assert (transition["segment"], transition["state"], receipt["campaign"]) == ("browsing", "entered", "back")


def test_the_same_message_has_the_same_id_each_time_it_is_told() -> None:
    assert told(MESSAGES[2], CRM) == told(MESSAGES[2], CRM)
    assert told(MESSAGES[2], CRM)[0].startswith("receipt_")


def test_place_and_words_of_a_provider_do_not_leave() -> None:
    for message in MESSAGES:
        assert not {"cursor", "position", "detail"} & {*told(message, CRM)[1]["data"]}


def test_who_was_erased_is_named_as_before() -> None:
    data = msgspec.json.encode({"type": "person.erased", "subjects": [ADA.hex()], "at": 7})
    notice = Notice(id="erased_" + MAIL.hex(), kind="person.erased", at=7, data=data, cursor="")
    _, body = renamed(notice.id, notice.body(), CRM)
    assert json.loads(body)["data"] == {"type": "person.erased", "subjects": [CRM.of(ADA).hex()], "at": 7}


def test_a_gap_says_why() -> None:
    data = msgspec.json.encode(GapTold(reason="replayed", cursor="e.1.1"))
    _, body = renamed("gap_e_1_1", Notice(id="gap_e_1_1", kind="gap", at=7, data=data, cursor="e.1.1").body(), CRM)
    assert json.loads(body)["data"] == {"type": "gap", "reason": "replayed"}
