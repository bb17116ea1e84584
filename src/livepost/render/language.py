"""Livepost's Liquid: python-liquid with every limit set, a deadline, and undefined variables told, not
hidden.

In: template source; plain values. Out: text and warnings. Promised: bounded (see `limits`); partials come
only from the mapping given at the start; a value is never run as a template.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext, Token, Undefined
from liquid.ast import Node
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.loaders.dict_loader import CachingDictLoader
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.exceptions import LiquidError, OutputStreamLimitError, ResourceLimitError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.undefined import UNDEFINED

from livepost.render import limits
from livepost.render.filters import bounded_filters
from livepost.render.limits import TemplateError
from livepost.render.nodes import TAGS, Names

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
"""A Liquid output or tag in a source."""


class Gap(Undefined):
    """A variable that is not there: empty, and told when it is printed or looped over.

    `{{ name | default: "friend" }}` and `{% if name %}` ask without printing, so they tell nothing.
    """

    __slots__ = ("told",)

    def __init__(self, found: Undefined, told: dict[str, None]) -> None:
        super().__init__(found.name, token=found.token, obj=found.obj, hint=found.hint)
        self.told = told

    def __str__(self) -> str:
        self._tell()
        return ""

    def __iter__(self) -> Iterator[Any]:
        self._tell()
        return iter([])

    __hash__ = Undefined.__hash__

    def _tell(self) -> None:
        if len(self.told) < limits.MAX_WARNINGS:
            self.told[f"{self.hint or repr(self.name) + ' is undefined'}"] = None


class MailContext(RenderContext):
    """A rendering under way: it knows its deadline and which variables were missing."""

    def __init__(
        self, *args: Any, parent_context: RenderContext | None = None, copy_depth: int = 0, **kwargs: Any
    ) -> None:
        inside = isinstance(parent_context, MailContext)
        self.told: dict[str, None] = parent_context.told if inside else {}  # type: ignore[union-attr]
        self.deadline: float = (
            parent_context.deadline  # type: ignore[union-attr]
            if inside
            else time.monotonic() + limits.RENDER_MS / 1000
        )
        super().__init__(*args, parent_context=parent_context, copy_depth=copy_depth, **kwargs)
        self.scope = Names(*self.scope._maps)

    @property
    def disabled_tags(self) -> list[str]:
        """The tags not allowed here. Every node reads it before it renders: so this is where time is watched."""
        self.watch()
        return self._disabled_tags

    @disabled_tags.setter
    def disabled_tags(self, names: list[str]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._disabled_tags = names

    def watch(self) -> None:
        """Raise ResourceLimitError once the deadline is past."""
        if time.monotonic() > self.deadline:
            raise ResourceLimitError(f"took longer than {limits.RENDER_MS} ms", token=None)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        """Return a filter, if there is time for it."""
        self.watch()
        return super().filter(name, token)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """Return the value at a path; a `Gap` where there is none."""
        root = path[0]
        if len(path) == 1 and isinstance(root, str):
            for names in self.scope._maps:
                if root in names:
                    return names[root]
        found = super().get(path, token=token, default=default)
        return Gap(found, self.told) if isinstance(found, Undefined) else found


class Output(LimitedStringIO):
    """The output, bounded in bytes; ASCII is counted without encoding it first."""

    def write(self, text: str) -> int:
        """Write text; raise OutputStreamLimitError above the bound."""
        if not text.isascii():
            return super().write(text)
        self.size += len(text)
        if self.size > self.limit:
            raise OutputStreamLimitError("output stream limit reached", token=None)
        return StringIO.write(self, text)


class MailTemplate(BoundTemplate):
    """A template that renders in a `MailContext`."""

    context_class = MailContext


class MailEnvironment(Environment):
    """The language: limits set, filters bounded, partials from a mapping."""

    block_nesting_limit = limits.MAX_DEPTH
    context_depth_limit = limits.MAX_DEPTH
    loop_iteration_limit = limits.MAX_LOOP
    local_namespace_limit = limits.MAX_LOCALS_BYTES
    output_stream_limit = limits.MAX_OUTPUT_BYTES
    template_class = MailTemplate

    def __init__(self, partials: Mapping[str, str], *, html: bool) -> None:
        super().__init__(
            loader=CachingDictLoader(dict(partials), auto_reload=False), autoescape=html, strict_filters=True
        )
        self.filters = bounded_filters(self.filters)
        for tag in TAGS:
            self.add_tag(tag)


def parse(language: MailEnvironment, source: str, name: str) -> BoundTemplate:
    """Return a parsed template; raise TemplateError near which tag if it is too large or is not Liquid."""
    check_size(source, name)
    try:
        template = language.from_string(source, name=name)
    except LiquidError as error:
        raise TemplateError(_sentence(error), template=name) from error
    _refuse_idle_ranges(template.nodes, name)
    return template


def check_size(source: str, name: str) -> None:
    """Raise TemplateError if a source has too many bytes, tags, or characters in a tag."""
    # Counting comes first: a pattern that looks for the end of each of 100,000 open tags would not end itself.
    measures = [
        ("bytes", len(source.encode()), limits.MAX_TEMPLATE_BYTES),
        ("tags", source.count("{{") + source.count("{%"), limits.MAX_TAGS),
    ]
    if all(size <= most for _, size, most in measures):
        longest = max((len(tag) for tag in TAG.findall(source)), default=0)
        measures.append(("characters in a tag", longest, limits.MAX_TAG_CHARS))
    for what, size, most in measures:
        if size > most:
            raise TemplateError(f"expected at most {most} {what}, got {size}; split it up", template=name)


def run(template: BoundTemplate, values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the rendered text and the warnings; raise TemplateError at a limit or an error of the template."""
    context = MailContext(template, globals=dict(values))
    buffer = Output(limit=limits.MAX_OUTPUT_BYTES)
    try:
        template.render_with_context(context, buffer)
    except (LiquidError, ArithmeticError, ValueError, RecursionError) as error:
        raise TemplateError(_sentence(error), template=template.name) from error
    return buffer.getvalue(), tuple(context.told)


def _sentence(error: Exception) -> str:
    """Return what went wrong and near which tag; never a value, which an error's own text may quote."""
    if not isinstance(error, LiquidError):
        return f"cannot be rendered ({type(error).__name__}); look for a calculation on unusual values"
    kind = type(error).__name__
    return f"{kind}{_place(error.token)}: {_PUBLIC.get(kind, error.message)}"


def _place(token: Token | None) -> str:
    """Return the tag an error points into, as the author wrote it."""
    if token is None or token.start_index < 0:
        return ""
    tags = (tag for tag in TAG.finditer(token.source) if tag.start() <= token.start_index < tag.end())
    return next((f" near `{tag.group()[:80]}`" for tag in tags), "")


_PUBLIC = {
    "LiquidTypeError": "a filter or comparison got a value of the wrong type",
    "FilterArgumentError": "a filter got a value that it cannot take, or met a limit",
    "FilterValueError": "a filter got a value that it cannot take",
    "FilterItemTypeError": "a filter got a list with items that it cannot take",
    "LiquidValueError": "a value cannot be used here",
}
"""Sentences for the errors whose own text may quote a person's value."""


def _refuse_idle_ranges(nodes: list[Node], name: str) -> None:
    """Refuse `(1..9)` anywhere but as what a loop runs over.

    Python looks for a non-integer in a range item by item, inside C, where no deadline can stop it.
    """
    for node in nodes:
        for expression in node.expressions():
            looped = isinstance(node, ForNode | TablerowNode) and _is_loopable(expression)
            for idle in _ranges(expression, looped):
                raise TemplateError(
                    f"expected the range {idle} to be looped over, got it used as a value or reversed; "
                    "write {% for n in (1..3) %}",
                    template=name,
                )
        _refuse_idle_ranges(list(node.children(_NOWHERE, include_partials=False)), name)


def _is_loopable(expression: Expression) -> bool:
    """Return whether a loop may take a range: not a long one in reverse, which is first made into a list."""
    span = getattr(expression, "iterable", None)
    if not isinstance(span, RangeLiteral) or not getattr(expression, "reversed", False):
        return True
    ends = (span.start, span.stop)
    return all(isinstance(end, IntegerLiteral) and abs(end.value) <= limits.MAX_LOOP for end in ends)


def _ranges(expression: Expression, looped: bool) -> Iterator[Expression]:
    for part in expression.children():
        if isinstance(part, RangeLiteral) and looped and part is getattr(expression, "iterable", None):
            continue
        if isinstance(part, RangeLiteral):
            yield part
        yield from _ranges(part, looped=False)
    if isinstance(expression, RangeLiteral):
        yield expression


_NOWHERE = RenderContext(Environment().from_string(""))
"""A context for walking a parse tree; nothing is rendered in it."""
