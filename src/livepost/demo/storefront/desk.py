"""The desk beside the shop: a visitor's next mail, what is known of them, where they stand and why; ready to be shown.

In: what the house's API told, and the time. Out: a struct fit for JSON. Promised: nothing is decided here, no sentence
is made anew that the house has made already. Of the features those with a name of the author's are shown: what a
condition measures beside them (`since(ProductAdded)`) goes on by itself, and stands in the segments' sentences.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.api.preview import PreviewAnswer
from livepost.clock import SECOND_MS
from livepost.demo.storefront.line import Told
from livepost.project.money import Money


class NextMail(msgspec.Struct, frozen=True, kw_only=True):
    """The next mail. `state` is the delivery's, `waiting` or `none`; `due` (UTC ms, shop time) only while waiting.

    due_in_s   how many seconds of the clock on the wall until then
    """

    campaign: str | None
    state: str
    text: str
    due: int | None
    due_in_s: float | None
    subject: str
    preheader: str
    html: str
    problem: str | None


class Known(msgspec.Struct, frozen=True):
    """A feature and its value in words."""

    name: str
    value: str


class Stand(msgspec.Struct, frozen=True):
    """A segment or campaign: whether the person is in it or what became of its mail, and the sentence that says why."""

    name: str
    state: str
    text: str


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Everything beside the shop, as of log position `position`; `shop_ms` is the time in the shop (UTC ms)."""

    position: int
    shop_ms: int
    letter: NextMail
    features: list[Known]
    segments: list[Stand]
    campaigns: list[Stand]


def desk_of(told: Told, *, now_ms: int, speed: float) -> Desk:
    """Return the desk; `now_ms` is the shop's time, which goes `speed` times as fast as the wall's."""
    return Desk(
        position=told.person.position,
        shop_ms=now_ms,
        letter=_letter(told.preview, now_ms, speed),
        features=[Known(name, in_words(value)) for name, value in told.person.features.items() if name.isidentifier()]
        + [Known(name, "known, sealed") for name in told.person.personal],
        segments=[Stand(one.segment, "in" if one.inside else "out", one.text) for one in told.reasons.segments],
        campaigns=[Stand(one.campaign, one.state, one.text) for one in told.reasons.campaigns],
    )


def in_words(value: Any) -> str:
    """Return a feature's value as people say it.

    >>> in_words([1250, "USD"]), in_words(["Tea", "Jam"]), in_words(None), in_words([])
    ('12.50 USD', 'Tea, Jam', 'never', 'nothing yet')
    """
    match value:
        case None:
            return "never"
        case [int(minor), str(currency)]:
            return str(Money.of_minor(minor, currency))
        case list():
            return ", ".join(map(str, value)) or "nothing yet"
    return str(value)


def _letter(told: PreviewAnswer, now_ms: int, speed: float) -> NextMail:
    return NextMail(
        campaign=told.campaign,
        state=told.state,
        text=told.text,
        due=told.due,
        due_in_s=None if told.due is None else round(max(told.due - now_ms, 0) / SECOND_MS / speed, 1),
        subject=told.subject,
        preheader=told.preheader,
        html=told.html,
        problem=told.problem,
    )
