"""What a template does with values: which variables it names, and which of them end up in its addresses.

In: the text of a template and of what it renders. Out: names, places. Promised: a value is followed through `assign`,
`capture` and `for`; what cannot be told apart counts as named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

_TAG = re.compile(r"\{\{-?(?P<output>.*?)-?\}\}|\{%-?(?P<tag>.*?)-?%\}", re.DOTALL)
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"(?<![\w.|])(?<!\|\s)([A-Za-z_]\w*)")
_ADDRESS = re.compile(r"""(?:href|src|action|background|background-url|srcset)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)
_URL = re.compile(r"url\(([^)]*)\)", re.I)
_RENDER = re.compile(r"^\s*(?:render|include)\s+['\"]([^'\"]+)['\"]")
_CHANGES = {"assign", "for", "tablerow"}


class Named(msgspec.Struct, frozen=True):
    """A variable in a template, at a line of it."""

    name: str
    line: int


def names_in(text: str) -> list[Named]:
    """Return the variables that a text names in its tags, in order.

    >>> [one.name for one in names_in("{{ first_name | default: 'friend' }} {% if vip %}{{ vip.rank }}{% endif %}")]
    ['first_name', 'vip', 'vip']
    """
    return [
        Named(word, text.count("\n", 0, found.start()) + 1)
        for found in _TAG.finditer(text)
        for word in _words(found["output"] if found["output"] is not None else found["tag"])
    ]


def addresses_in(text: str) -> list[Named]:
    """Return the variables that stand in addresses: of links, pictures, forms, styles."""
    found = []
    for match in (*_ADDRESS.finditer(text), *_URL.finditer(text)):
        inside = next(part for part in match.groups() if part is not None)
        line = text.count("\n", 0, match.start()) + 1
        found += [Named(one.name, line) for one in names_in(inside)]
    return found


def rendered_in(text: str) -> list[str]:
    """Return the names of the partials that a text renders."""
    tags = (found["tag"] for found in _TAG.finditer(text) if found["tag"])
    return [match[1] for tag in tags if (match := _RENDER.match(tag))]


def flows(text: str, carried: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return by variable the values that it carries, those included that the text makes.

    >>> flows("{% assign who = first_name %}", {"first_name": frozenset(["first_name"])})["who"]
    frozenset({'first_name'})
    """
    known = dict(carried)
    made = list(_made(text))
    for _ in range(len(made) + 1):
        before = dict(known)
        for name, of in made:
            known[name] = known.get(name, frozenset()).union(*(known.get(one, frozenset()) for one in of))
        if known == before:
            return known
    return known


def _made(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield variables that a text makes, with those that they are made of."""
    for found in _TAG.finditer(text):
        words = _words(found["tag"] or "")
        tag = (found["tag"] or "").split(maxsplit=1)
        if tag and tag[0] in _CHANGES and words:
            yield words[0], words[1:]
        elif tag and tag[0] == "capture" and words:
            inside = text[found.end() :].partition("endcapture")[0]
            yield words[0], [one.name for one in names_in(inside)]


_KEYWORDS = frozenset(
    (
        *("if", "elsif", "else", "endif", "unless", "endunless", "for", "endfor", "in", "assign", "capture", "case"),
        *("endcapture", "when", "endcase", "and", "or", "contains", "true", "false", "nil", "null", "empty", "blank"),
        *("render", "include", "with", "as", "limit", "offset", "reversed", "break", "continue", "cycle", "tablerow"),
        *("endtablerow", "comment", "endcomment", "raw", "endraw", "echo", "liquid", "increment", "decrement"),
    )
)


def _words(tag: str) -> list[str]:
    """Return the variables of a tag: no texts, no names of filters, no parts behind a dot, no words of the language."""
    return [word for word in _WORD.findall(_TEXT.sub("''", tag)) if word not in _KEYWORDS and f"{word}:" not in tag]
