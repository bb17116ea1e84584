"""The bounds of rendering, in one place, and the error that says which was met.

In: nothing. Out: numbers. Promised: no template, however written, costs more than these.
"""

from __future__ import annotations

from livepost.errors import LivepostError

MAX_TEMPLATE_BYTES = 524_288
"""A template, UTF-8: its source, and what MJML makes of it; also a partial."""

MAX_TAGS = 2_000
"""Liquid tags and outputs in a template: parsing takes time too, and some of it grows with the square."""

MAX_TAG_CHARS = 2_000
"""One Liquid tag or output."""

MAX_OUTPUT_BYTES = 524_288
"""One rendered part (HTML, text or subject), UTF-8."""

MAX_LOOP = 10_000
"""Loop iterations: the product of the lengths of nested loops."""

MAX_DEPTH = 30
"""Nested blocks, and nested partials."""

MAX_LOCALS_BYTES = 262_144
"""What `assign` and `capture` may hold at a time."""

MAX_VALUE_CHARS = 65_536
"""The text that a filter may take or give."""

MAX_ITEMS = 1_000
"""The items of a list that a filter may take or give."""

MAX_NUMBER = 10**18
"""The magnitude of a number that a filter may give."""

RENDER_MS = 250
"""The time one part may take, on the host's monotonic clock."""

CLIPPED_BYTES = 102_400
"""HTML above this is cut by Gmail: a warning, not an error."""

MAX_WARNINGS = 20
"""Warnings kept of one rendering."""


class TemplateError(LivepostError):
    """A template cannot be compiled or rendered; `template` names it. The message holds no value of a person."""

    def __init__(self, message: str, *, template: str) -> None:
        super().__init__(f"{template}: {message}")
        self.template = template
