"""Templates: the files of the templates folder, compiled once, rendered once a mail.

In: file name -> text, as read by whoever may read disks; drafts and plain values. Out: `RenderedMail`.
Promised: the same draft and values give the same mail; every limit of `limits` holds; a variable that is not
there is empty and told in the warnings.

Files: `NAME.mjml` is a template; `NAME.txt` (optional) its text part, else that is derived from the HTML;
`NAME.liquid` is a partial for `{% render 'NAME' %}`. Partials are HTML; in a text part their words are taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from liquid import BoundTemplate

from livepost.ids import digest
from livepost.model.message import EmailDraft, RenderedMail
from livepost.render.design import Marks, compile_mjml, inline_css
from livepost.render.language import MailEnvironment, parse, run
from livepost.render.limits import CLIPPED_BYTES, TemplateError
from livepost.render.money import plain
from livepost.render.words import text_of, tidy

LINES_CACHED = 1_000
"""Subjects and preheaders kept parsed."""

_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Controls, newlines, and what turns the direction of reading; joiners stay: Persian and emoji need them."""

MAX_LINE_CHARS = 250
"""A subject or preheader; longer ones are cut."""


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered mail and what its author should know: undefined variables, size."""

    mail: RenderedMail
    warnings: tuple[str, ...]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled template. `version` is the hash of its sources, hex."""

    name: str
    version: str
    html: BoundTemplate
    text: BoundTemplate
    warnings: tuple[str, ...]


class Templates:
    """A project's templates. Not for several threads at once."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Compile all; raise TemplateError for the first that cannot be."""
        partials = {name.removesuffix(".liquid"): text for name, text in files.items() if name.endswith(".liquid")}
        self._html = MailEnvironment(partials, html=True)
        self._text = MailEnvironment({name: _words(text) for name, text in partials.items()}, html=False)
        for name, source in partials.items():
            parse(self._html, source, name)
        self._templates = {
            name.removesuffix(".mjml"): self._compile(name.removesuffix(".mjml"), files)
            for name in files
            if name.endswith(".mjml")
        }
        self._line = lru_cache(LINES_CACHED)(self._parse_line)

    def names(self) -> frozenset[str]:
        """Return the names of the templates."""
        return frozenset(self._templates)

    def version(self, name: str) -> str:
        """Return the hash of a template's sources, hex; raise TemplateError if there is none of that name."""
        return self._template(name).version

    def variables(self, name: str) -> frozenset[str]:
        """Return the names of the variables a template asks for, in any part."""
        template = self._template(name)
        asked = {*template.html.analyze().globals, *template.text.analyze().globals}
        return frozenset(asked)

    def render(self, draft: EmailDraft, values: Mapping[str, Any]) -> RenderedMail:
        """Return the mail for one person; raise TemplateError if it cannot be made within the limits."""
        return self.preview(draft, values).mail

    def preview(self, draft: EmailDraft, values: Mapping[str, Any]) -> Rendering:
        """Return the mail with warnings. `values` are plain data; `preheader` is added from the draft."""
        template = self._template(draft.template)
        given = {name: plain(value) for name, value in values.items()}
        subject, told = self._one_line(draft.subject, given)
        given["preheader"], told_preheader = self._one_line(draft.preheader, given)
        html, told_html = run(template.html, given)
        text, told_text = run(template.text, given)
        warnings = dict.fromkeys((*template.warnings, *told, *told_preheader, *told_html, *told_text))
        if len(html.encode()) > CLIPPED_BYTES:
            warnings[f"the HTML has {len(html.encode())} bytes; Gmail cuts above {CLIPPED_BYTES}"] = None
        mail = RenderedMail(subject=subject, html=html, text=tidy(text), preheader=given["preheader"])
        return Rendering(mail=mail, warnings=tuple(warnings))

    def _template(self, name: str) -> Template:
        try:
            return self._templates[name]
        except KeyError:
            raise TemplateError(
                f"expected one of {', '.join(sorted(self._templates)) or 'no templates'}; add {name}.mjml",
                template=name,
            ) from None

    def _compile(self, name: str, files: Mapping[str, str]) -> Template:
        source, own_text = files[f"{name}.mjml"], files.get(f"{name}.txt")
        marked, marks = compile_mjml(source, name)
        text = own_text if own_text is not None else marks.restore(text_of(marked))
        html, warnings = inline_css(marked, marks)
        return Template(
            name=name,
            version=digest(source, own_text or "").hex(),
            html=parse(self._html, html, name),
            text=parse(self._text, text, name),
            warnings=warnings,
        )

    def _parse_line(self, source: str) -> BoundTemplate:
        return parse(self._text, source, "subject")

    def _one_line(self, source: str, values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        if "{" not in source:
            return one_line(source), ()
        text, warnings = run(self._line(source), values)
        return one_line(text), warnings


def one_line(text: str) -> str:
    """Return text as one line of at most 250 characters: newlines of any kind become spaces, controls go.

    `=?` is set apart: it begins an encoded word (RFC 2047), which would be decoded again on its way.
    """
    spaced = " ".join(text.split())
    line = spaced if spaced.isprintable() else _UNWANTED.sub("", spaced)
    return line.replace("=?", "= ?")[:MAX_LINE_CHARS].strip()


def _words(partial: str) -> str:
    marks = Marks(partial)
    return marks.restore(text_of(marks.marked))
