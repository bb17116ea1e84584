"""The words of a mail: its text part, derived once from the HTML, Liquid and links kept.

In: marked HTML (see `design`). Out: text with marks, a line a block, links as `label (address)`. Promised:
what MJML puts there for screens only (styles, Outlook's conditional comments, images without `alt`) is left
out.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(("p", "div", "tr", "table", "ul", "ol", "li", "blockquote", "section", "br", "hr"))
_BLOCKS |= {f"h{level}" for level in range(1, 7)}
_SILENT = frozenset(("style", "title", "script", "head"))
_VOID = frozenset(("img", "br", "hr", "meta", "link", "input", "col", "area", "base", "wbr"))
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_EDGES = re.compile(r" *\n *")
_GAPS = re.compile(r"\n{3,}")


def text_of(html: str) -> str:
    """Return the text part of an HTML document or fragment.

    >>> text_of('<p>Hi</p><a href="https://shop.example">Shop</a>')
    'Hi\\nShop (https://shop.example)'
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return tidy("".join(reader.pieces))


def tidy(text: str) -> str:
    """Return text without spaces at line ends and with at most one empty line in a row."""
    return _GAPS.sub("\n\n", _EDGES.sub("\n", _SPACES.sub(" ", text))).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []  # the open tags from the one that silenced the text
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._silent or tag in _SILENT or _is_hidden(given):
            if tag not in _VOID:
                self._silent.append(tag)
        elif tag == "a":
            self._links.append((given.get("href", ""), len(self.pieces)))
        elif tag == "img":
            self.pieces.append(given.get("alt", ""))
        elif tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag == "td":
            self.pieces.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                del self._silent[len(self._silent) - 1 - self._silent[::-1].index(tag) :]
        elif tag == "a" and self._links:
            self._close_link(*self._links.pop())
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def _close_link(self, address: str, since: int) -> None:
        label = "".join(self.pieces[since:]).strip()
        self.pieces[since:] = [f"{label} ({address})" if label and address and label != address else address]

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(_SPACES.sub(" ", data.replace("\n", " ")))


def _is_hidden(given: dict[str, str]) -> bool:
    return "display:none" in given.get("style", "").replace(" ", "")
