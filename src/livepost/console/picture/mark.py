"""Marks of the kinds of things that happen to a person: each kind has a shape of its own beside its word.

In: a kind, a class for its colour. Out: SVG. Promised: it says nothing that the word beside it does not.
"""

from __future__ import annotations

from markupsafe import Markup

from livepost.console.picture.svg import tag

SHAPES = {
    "event": "M8 3.500a4.500 4.500 0 1 0 0 9a4.500 4.500 0 1 0 0-9z",
    "transition": "M8 1.500l6.500 6.500-6.500 6.500-6.500-6.500z",
    "decision": "M3 3h10v10h-10z",
    "delivery": "M1 3h14v10h-14zM1 3.500c3.500 0 4.500 4.500 7 4.500s3.500-4.500 7-4.500",
    "outcome": "M8 2l6.500 11.500h-13z",
}


def mark(kind: str, colour: str) -> Markup:
    """Return the mark of a kind of `SHAPES`, drawn in the colour of a class."""
    shape = tag("path", d=SHAPES[kind])
    return tag("svg", shape, class_=f"happening {colour}", viewBox="0 0 16 16", aria_hidden="true")
