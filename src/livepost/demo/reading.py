"""How the demo's shoppers read their mails: what they do with one, and what of it there is to do it with.

In: a kept mail's bytes, its decision. Out: its links, and a habit: when it is opened, a link of it followed, something
bought after that, a topic switched off, everything stopped. Promised: drawn from a hash of the decision alone; times
are on the shop's clock; who sees no picture and follows no link does nothing else.
"""

from __future__ import annotations

import html
import re
from email import message_from_bytes
from email.policy import SMTP
from typing import NamedTuple

from livepost.clock import MINUTE_MS
from livepost.ids import digest

OPENED_IN_256 = 150
CLICKED_IN_256 = 100
"""Of the mails that are opened."""
BOUGHT_IN_256 = 110
"""Of the mails of which a link was followed."""
CHOSE_IN_256, STOPPED_IN_256 = 8, 3
"""Of the mails that are opened and of which no link is followed."""

AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
)
"""Browsers as they call themselves: people read with these."""

_LINK = re.compile(r'\b(?:href|src)="(https?://[^"]+)"')


class Letter(NamedTuple):
    """What a mail has: whom it went to, its picture, its first link, where one chooses and where one stops ("": none).

    `stop` is the address of the one-click header, as mail programs use it.
    """

    to: str
    picture: str
    click: str
    choose: str
    stop: str


class Habit(NamedTuple):
    """What somebody does with a mail, each so many ms after it came on the shop's clock; None: not at all."""

    opens: int | None = None
    clicks: int | None = None
    buys: int | None = None
    chooses: int | None = None
    stops: int | None = None
    agent: str = AGENTS[0]
    drawn: int = 0


def letter_of(raw: bytes) -> Letter:
    """Return what a mail's own bytes have to look at; a link of the mail is one that its HTML part has."""
    mail = message_from_bytes(raw, policy=SMTP)
    part = mail.get_body(("html",))
    links = [html.unescape(found) for found in _LINK.findall(part.get_content() if part is not None else "")]
    one_click = str(mail.get("List-Unsubscribe", "")).strip().removeprefix("<").removesuffix(">")
    return Letter(
        to=mail["To"].addresses[0].addr_spec,
        picture=_first(links, "/o/"),
        click=_first(links, "/c/"),
        choose=_first(links, "/preferences/"),
        stop=one_click if "/u/" in one_click else "",
    )


def habit_of(decision: bytes) -> Habit:
    """Return what whoever got the mail of a decision does with it.

    >>> habit_of(bytes(16)) == habit_of(bytes(16))
    True
    """
    draw = digest("reads", decision)
    agent, drawn = AGENTS[draw[0] % len(AGENTS)], draw[9]
    if draw[1] >= OPENED_IN_256:
        return Habit(agent=agent, drawn=drawn)
    opens = (5 + draw[2] % 55) * MINUTE_MS
    later = opens + (1 + draw[3] % 5) * MINUTE_MS
    if draw[4] < CLICKED_IN_256:
        buys = later + (10 + draw[6] % 30) * MINUTE_MS if draw[5] < BOUGHT_IN_256 else None
        return Habit(opens, later, buys, agent=agent, drawn=drawn)
    chooses, stops = draw[7] < CHOSE_IN_256, draw[8] < STOPPED_IN_256
    return Habit(opens, None, None, later if chooses else None, later if stops else None, agent, drawn)


def choice_without(page: str, topic: str) -> list[tuple[str, str]]:
    """Return the form of a preference centre as somebody sends it who unticks a topic; nothing if it is no such page.

    >>> choice_without('<input type="hidden" name="shown" value="topic:a"><input type="checkbox" name="yes" '
    ...     'value="topic:a" checked>', "topic:a")
    [('shown', 'topic:a')]
    """
    fields: list[tuple[str, str]] = []
    for tag in re.findall(r"<input\b[^>]*>", page):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        sent = told.get("type") == "hidden" or " checked" in tag
        if sent and not (told.get("name") == "yes" and told.get("value") == topic):
            fields.append((told.get("name", ""), html.unescape(told.get("value", ""))))
    return fields


def _first(links: list[str], place: str) -> str:
    return next((link for link in links if place in link), "")
