"""How the pages look that people see who get mails: one plain page in our frame, or in the shop's.

In: words, HTML of ours, perhaps a frame that was rendered before. Out: replies. Promised: no script, no cookie, nothing
from elsewhere (the policy in the headers holds the shop's frame to it too); a shop's frame is filled, never run, so it
cannot keep a wish from being recorded.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse

from livepost.api.wording import FALLBACK, Words, chosen, ours

TITLE = "livepost-page-title"
BODY = "livepost-page-body"
"""What stands in a rendered frame where a page's title and its own HTML go."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept-Language",
}

SIGNAL = "#0b6e5b"
"""The colour of buttons where the shop has none of its own."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """The shop's look. `words` are by language, in the order of preference; `frames` by language, rendered.

    `logo` is a data URL, "" for none; `color` is #rrggbb, of buttons.
    """

    words: Mapping[str, Words] = {}
    frames: Mapping[str, str] = {}
    color: str = SIGNAL
    logo: str = ""

    def words_for(self, request: Request) -> Words:
        """Return the words in the language that the browser asks for, or the shop's first."""
        offered = self.words or {FALLBACK: ours(FALLBACK)}
        return offered[chosen(request.headers.get("accept-language", ""), tuple(offered))]

    def page(self, words: Words, shop: str, title: str, inside: str, status: int = 200) -> HTMLResponse:
        """Return a page; `inside` is HTML of ours, `title` and `shop` are plain."""
        frame = self.frames.get(words.language) or self._frame(words, shop)
        heading = f"<h1>{html.escape(title)}</h1>{inside}"
        # The body goes in last: what it says must not be taken for the title's place.
        return HTMLResponse(frame.replace(TITLE, html.escape(title)).replace(BODY, heading, 1), status, HEADERS)

    def notice(self, words: Words, shop: str, name: str, status: int = 200, **gaps: object) -> HTMLResponse:
        """Return a page of two sentences."""
        text = f"<p>{html.escape(words.say(f'{name}_text', shop=shop, **gaps))}</p>"
        return self.page(words, shop, words.say(name, shop=shop, **gaps), text, status)

    def _frame(self, words: Words, shop: str) -> str:
        name = html.escape(shop)
        logo = f'<img src="{html.escape(self.logo)}" alt="{name}">' if self.logo else f"<span>{name}</span>"
        return (
            f'<!doctype html><html lang="{words.language}" dir="{words.direction}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{TITLE}</title><style>{style(self.color)}</style></head>"
            f"<body><header>{logo}</header><main>{BODY}</main></body></html>"
        )


def style(color: str) -> str:
    """Return the style of pages and forms, with buttons of a colour and letters on them that can be read."""
    return _STYLE.replace("BUTTON", color).replace("LETTERS", letters_on(color))


def letters_on(color: str) -> str:
    """Return black or white, whichever stands out more (WCAG 2.2, relative luminance).

    >>> letters_on("#0b6e5b"), letters_on("#ffd400")
    ('#ffffff', '#000000')
    """
    red, green, blue = (_linear(int(color[place : place + 2], 16) / 255) for place in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


_STYLE = (
    ":root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1d2126;--soft:#5b6470;--line:#767d86;"
    "--sky:#2f5fa8}"
    "@media(prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1b1f24;--ink:#eceae4;--soft:#a3acb8;"
    "--line:#7d8691;--sky:#8db4ee}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;"
    "overflow-wrap:anywhere}"
    "header,main{max-width:36rem;margin:0 auto;padding:1rem}"
    "header{padding-top:2rem;color:var(--soft)}header img{max-height:3rem;max-width:100%}"
    "h1{font-size:1.5rem;line-height:2rem;margin:0 0 1rem}"
    "fieldset{border:1px solid var(--line);border-radius:6px;margin:0 0 1rem;padding:.5rem 1rem;background:var(--card)}"
    "legend{font-weight:600;padding:0 .25rem}"
    "label{display:flex;gap:.75rem;align-items:center;min-height:2.75rem}"
    "input{inline-size:1.25rem;block-size:1.25rem;flex:none;margin:0}"
    "button{font:inherit;min-height:2.75rem;padding:.5rem 1.25rem;border-radius:6px;border:1px solid transparent;"
    "background:BUTTON;color:LETTERS;cursor:pointer;max-width:100%}"
    "button.quiet{background:transparent;color:var(--ink);border-color:var(--line)}"
    "a{color:var(--sky)}.row{display:flex;flex-wrap:wrap;gap:.75rem}"
    ":focus-visible{outline:3px solid var(--sky);outline-offset:2px}"
)
