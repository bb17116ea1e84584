"""The links of a mail: each web link leads through `/c`, so that a click can be seen; none decides anything.

In: rendered HTML. Out: HTML with the links rewritten. Promised: our own links (unsubscribe) stay as they are;
a scheme that a mail has no use for leads nowhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

_HREF = re.compile(r"""(<a\b[^>]*?\bhref=)(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_KEPT_SCHEMES = ("mailto:", "tel:", "sms:", "#")

OWN_PLACES = ("u", "preferences", "confirm")
"""What our own links lead to that act for the person: nobody counts who follows them."""

MAX_LINKS = 500
"""Links of one mail that are rewritten; later ones stay as they are."""


def rewrite_links(page: str, own: str, tracked: Callable[[int, str], str | None]) -> str:
    """Return the page with each link replaced by `tracked(number, address)`, or as it was where that is None.

    `own` is where our own links begin (the public URL). Web links stay at worst; other schemes than mail and
    telephone become `#`.
    """
    number = -1
    kept = (*(f"{own}/{place}/" for place in OWN_PLACES), *_KEPT_SCHEMES)

    def replace(found: re.Match[str]) -> str:
        nonlocal number
        address = html.unescape(found.group(2) or found.group(3) or "").strip()
        if address.startswith(kept):
            return found.group()
        if not address.lower().startswith(("http://", "https://")):
            return f'{found.group(1)}"#"'
        number += 1
        link = tracked(number, address) if number < MAX_LINKS else None
        return f'{found.group(1)}"{html.escape(link)}"' if link else found.group()

    return _HREF.sub(replace, page)


def with_picture(page: str, address: str) -> str:
    """Return the page with a picture of one pixel as the last thing in it."""
    picture = f'<img src="{html.escape(address)}" width="1" height="1" alt="">'
    before, end, after = page.rpartition("</body>")
    return f"{before}{picture}{end}{after}" if end else page + picture
