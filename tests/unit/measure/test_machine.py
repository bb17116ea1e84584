from __future__ import annotations

import pytest

from livepost.measure import machine as told
from livepost.measure.machine import EARLY_MS, Request, early, machine

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.1; Pro)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
GOOGLE = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"


@pytest.mark.parametrize("agent", [PHONE, OUTLOOK, FIREFOX])
@pytest.mark.parametrize("picture", [True, False])
def test_a_program_that_people_use_is_not_known_to_be_a_machine(agent: str, picture: bool) -> None:
    assert machine(Request(method="GET", agent=agent), picture=picture) == ""


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ("Mozilla/5.0", told.APPLE),
        ("", told.NO_AGENT),
        ("   ", told.NO_AGENT),
        ("Barracuda/1.0", told.SCANNER),
        ("Mozilla/5.0 (compatible; Proofpoint)", told.SCANNER),
        ("curl/8.1", told.CRAWLER),
        ("Slackbot-LinkExpanding 1.0", told.CRAWLER),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36", told.CRAWLER),
    ],
)
def test_a_machine_that_says_so_is_told_with_the_reason(agent: str, reason: str) -> None:
    assert machine(Request(method="GET", agent=agent), picture=False) == reason


@pytest.mark.parametrize("agent", [GOOGLE, YAHOO])
def test_a_proxy_loads_a_picture_for_a_person_and_follows_no_link_for_one(agent: str) -> None:
    assert machine(Request(method="GET", agent=agent), picture=True) == ""
    assert machine(Request(method="GET", agent=agent), picture=False) == told.CRAWLER


def test_who_asks_for_heads_or_beforehand_is_a_machine() -> None:
    assert machine(Request(method="HEAD", agent=FIREFOX), picture=False) == told.HEAD
    assert machine(Request(method="GET", agent=FIREFOX, purpose="prefetch;prerender"), picture=False) == told.PREFETCHED


def test_nobody_reads_a_mail_as_soon_as_it_is_sent() -> None:
    assert [bool(early(at, 10_000)) for at in (10_000, 10_001 - EARLY_MS, 10_000 - EARLY_MS, None)] == [
        True,
        True,
        False,
        False,
    ]
