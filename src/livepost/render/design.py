"""A design: MJML compiled once to HTML with CSS inlined, Liquid carried through untouched.

In: MJML with Liquid in it. Out: HTML with the same Liquid in the same places, to be rendered for each mail.
Promised: every Liquid tag of the source is in the HTML, else the template is refused; tags MJML does not know
are refused too (the compiler passes them silently).

Liquid and two parsers would spoil each other: `a < b` breaks XML, `"` breaks attributes, and an HTML parser
moves a `{% for %}` between table rows out of the table. So each tag becomes a mark, a plain word; while CSS
is inlined, marks between tags are comments, which parsers leave where they are.
"""

from __future__ import annotations

import re
from functools import cache

import css_inline
from mjml import mjml2html

from livepost.ids import digest
from livepost.render.language import TAG, check_size
from livepost.render.limits import TemplateError

KNOWN_TAGS = frozenset(
    (
        "mj-accordion",
        "mj-accordion-element",
        "mj-accordion-text",
        "mj-accordion-title",
        "mj-all",
        "mj-attributes",
        "mj-body",
        "mj-breakpoint",
        "mj-button",
        "mj-carousel",
        "mj-carousel-image",
        "mj-class",
        "mj-column",
        "mj-divider",
        "mj-font",
        "mj-group",
        "mj-head",
        "mj-hero",
        "mj-image",
        "mj-navbar",
        "mj-navbar-link",
        "mj-preview",
        "mj-raw",
        "mj-section",
        "mj-social",
        "mj-social-element",
        "mj-spacer",
        "mj-style",
        "mj-table",
        "mj-text",
        "mj-title",
        "mj-wrapper",
    )
)
"""The MJML tags the compiler understands."""

_MJ = re.compile(r"</?(mj-[a-z-]+)")
_TAG = re.compile(r"<[^!][^>]*>")
_OUTSIDE_TEXT = re.compile(
    r"<!--.*?-->|<(?:style|title|script)\b.*?</(?:style|title|script)>|<[^>]*>", re.DOTALL | re.I
)


class Marks:
    """The Liquid tags of one source, each under a word that occurs nowhere else in it."""

    def __init__(self, source: str) -> None:
        self._stem = f"lq{digest(source, size=6).hex()}x"
        self.tags: list[str] = []
        self.marked = TAG.sub(self._mark, source)
        self.pattern = re.compile(rf"(?:<!--)?{self._stem}(\d+)z(?:-->)?")

    def _mark(self, found: re.Match[str]) -> str:
        self.tags.append(found.group())
        return f"{self._stem}{len(self.tags) - 1}z"

    def restore(self, text: str) -> str:
        """Return the text with each mark's Liquid back in its place."""
        return self.pattern.sub(lambda found: self.tags[int(found.group(1))], text)

    def commented(self, html: str) -> str:
        """Return HTML whose marks between tags are comments."""
        bare = re.compile(rf"{self._stem}\d+z")
        pieces: list[str] = []
        at = 0
        for outside in _OUTSIDE_TEXT.finditer(html):
            pieces += bare.sub(r"<!--\g<0>-->", html[at : outside.start()]), outside.group()
            at = outside.end()
        return "".join([*pieces, bare.sub(r"<!--\g<0>-->", html[at:])])

    def lost(self, html: str) -> list[str]:
        """Return the tags of the source that are not in the HTML."""
        there = {int(found) for found in self.pattern.findall(html)}
        return [tag for number, tag in enumerate(self.tags) if number not in there]


def compile_mjml(source: str, name: str) -> tuple[str, Marks]:
    """Return HTML holding marks, and the marks.

    Raises TemplateError if MJML cannot read the source, a tag is unknown, or Liquid stands where MJML drops
    it.
    """
    check_size(source, name)
    _refuse_unknown_tags(source, name)
    marks = Marks(source)
    try:
        # No fonts by default: the compiler would have every opening of a mail ask Google for them.
        html = mjml2html(_TAG.sub(_on_one_line, marks.marked), fonts={})
    except ValueError as error:
        raise TemplateError(f"MJML cannot read it: {error}", template=name) from error
    if lost := marks.lost(html):
        raise TemplateError(
            f"MJML drops `{lost[0][:80]}` where it stands; put it into text, an attribute's value or mj-raw",
            template=name,
        )
    return html, marks


def inline_css(html: str, marks: Marks) -> tuple[str, tuple[str, ...]]:
    """Return marked HTML with its styles inlined (media queries stay) and its Liquid restored; and warnings.

    Styles that cannot be read stay where they are, with a warning: what MJML itself styles is inline already.
    """
    try:
        return marks.restore(_inliner().inline(marks.commented(html))), ()
    except css_inline.InlineError as error:
        return marks.restore(html), (f"its CSS cannot be inlined ({error}); check mj-style",)


def _on_one_line(tag: re.Match[str]) -> str:
    """The compiler writes a newline in an attribute as a backslash and an n, which breaks `style`."""
    return tag.group().replace("\n", " ")


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def _refuse_unknown_tags(source: str, name: str) -> None:
    for found in _MJ.finditer(source):
        if found.group(1) not in KNOWN_TAGS:
            line = source.count("\n", 0, found.start()) + 1
            raise TemplateError(
                f"expected a tag of MJML on line {line}, got <{found.group(1)}>; "
                "put repeated pieces into NAME.liquid and write {% render 'NAME' %}",
                template=name,
            )
