"""Whether a hit on a mail's link or picture is a machine's, by what is known at that moment.

In: facts of a request. Out: why it is taken for a machine's, "" if it is not known to be one. Promised: an answer
depends on these facts only, and is written into the record: a log read again says the same.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec
from crawleruseragents import is_crawler

from livepost.clock import SECOND_MS

MACHINE = "machine"
"""The class of a hit that is known to be a machine's."""

EARLY_MS = 2 * SECOND_MS
"""Within this after a mail was sent nobody has read it: what scans mail for a server has."""

BURST_S = 1.0
"""Who follows several different links of a mail within this is a machine."""

AGENT_CHARS = 512
"""As much of a user agent is looked at."""

PREFETCHED = "prefetched"
HEAD = "HEAD request"
NO_AGENT = "no user agent"
APPLE = "Apple Mail Privacy Protection"
SCANNER = "a mail scanner"
CRAWLER = "a crawler"
EARLY = "before anybody could read the mail"
BURST = "several links at once"

_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy")
"""Who loads a picture when its mail is shown to somebody, and only then: opens by a person."""

_SCANNERS = re.compile(r"barracuda|proofpoint|mimecast|ironport|trend ?micro|sophos|fireeye|symantec|safe ?links", re.I)
"""Scanners of mail that say who they are, and that the list of crawlers does not have."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says of who makes it; `agent` is its user agent, `purpose` what `Sec-Purpose` or `Purpose` say."""

    method: str
    agent: str
    purpose: str = ""


def machine(request: Request, *, picture: bool) -> str:
    """Return why a request is taken for a machine's; "" if it may be a person's.

    >>> machine(Request(method="GET", agent="Mozilla/5.0"), picture=True)
    'Apple Mail Privacy Protection'
    >>> machine(Request(method="GET", agent="Mozilla/5.0 (via ggpht.com GoogleImageProxy)"), picture=True)
    ''
    """
    if request.method == "HEAD":
        return HEAD
    if "prefetch" in request.purpose.lower() or "preview" in request.purpose.lower():
        return PREFETCHED
    return _by_agent(request.agent[:AGENT_CHARS].strip(), picture)


def early(sent_at: int | None, at: int) -> str:
    """Return why a hit at `at` (ms) on a mail that was sent at `sent_at` (None: not known) is a machine's, or ""."""
    return EARLY if sent_at is not None and at - sent_at < EARLY_MS else ""


@lru_cache(maxsize=4_096)
def _by_agent(agent: str, picture: bool) -> str:
    if not agent:
        return NO_AGENT
    if agent == "Mozilla/5.0":
        return APPLE
    if picture and _PROXIES.search(agent):
        return ""
    if _SCANNERS.search(agent):
        return SCANNER
    return CRAWLER if is_crawler(agent) else ""
