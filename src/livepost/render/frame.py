"""A shop's frame around pages that are not its own: rendered once, with marks where the pages put their parts.

In: Liquid, plain values, marks. Out: HTML that has each mark. Promised: the bounds of every template; values are
escaped, and so may marks be, which are made of letters; a frame without its marks is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livepost.render.language import MailEnvironment, parse, run
from livepost.render.limits import TemplateError


def rendered_frame(source: str, values: Mapping[str, Any], marks: Mapping[str, str], name: str) -> str:
    """Return the frame; raise TemplateError if it is no Liquid, names a variable that is not there, leaves out a mark,
    or has the body twice.
    """
    text, warnings = run(parse(MailEnvironment({}, html=True), source, name), {**values, **marks})
    if warnings:
        known = ", ".join(sorted([*values, *marks]))
        raise TemplateError(f"expected only {known}, got more: {warnings[0]}", template=name)
    for key, mark in marks.items():
        if mark not in text:
            raise TemplateError(f"expected {{{{ {key} }}}} in the frame, got none; add it", template=name)
    if text.count(marks["body"]) > 1:
        raise TemplateError("expected {{ body }} once in the frame, got it again; keep one", template=name)
    return text
