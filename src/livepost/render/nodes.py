"""The three nodes of which a mail has dozens (text, `{{ output }}`, `{% for %}`), written by a shorter way.

In: what python-liquid parses. Out: the same words, counts, errors and warnings as its own nodes give
(`tests/unit/render/test_nodes.py`); what is not plain is left to them. Promised: outputs and turns of a loop watch the
deadline, as every node of python-liquid does here; text alone costs no time that its length does not bound.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TextIO

from liquid import RenderContext, Token
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.path import Path
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.for_tag import ForLoop, ForNode, ForTag
from liquid.exceptions import BreakLoop, ContinueLoop
from liquid.expression import Expression
from liquid.stringify import to_liquid_string
from liquid.utils import ReadOnlyChainMap

if TYPE_CHECKING:
    from livepost.render.language import MailContext

_ESCAPED = re.compile("[&<>'\"]")
"""What HTML cannot hold as it is."""


class Names(ReadOnlyChainMap):
    """The scopes of a rendering, the innermost first; looked through without an error for each that lacks a name."""

    def __getitem__(self, key: str) -> object:
        for names in self._maps:
            if key in names:
                return names[key]
        raise KeyError(key)


class Text(ContentNode):
    """Text as the author wrote it."""

    __slots__ = ()

    def render(self, context: RenderContext, buffer: TextIO) -> int:
        """Write it."""
        return buffer.write(self.text)


class Value(OutputNode):
    """`{{ path | filters }}`."""

    __slots__ = ("_path", "_plain")

    def __init__(self, token: Token, expression: Expression) -> None:
        super().__init__(token, expression)
        bare = isinstance(expression, FilteredExpression) and not expression.filters
        self._plain: Expression = getattr(expression, "left", expression) if bare else expression
        path = getattr(self._plain, "path", None)
        self._path: list[object] | None = None if path is None or any(isinstance(p, Path) for p in path) else path

    def render(self, context: MailContext, buffer: TextIO) -> int:  # type: ignore[override]
        """Write the value, escaped where the template is HTML."""
        context.watch()
        path = self._path
        value = self._plain.evaluate(context) if path is None else context.get(path, token=self._plain.token)
        kind = type(value)
        if kind is int or (kind is str and not (context.autoescape and _ESCAPED.search(value))):  # type: ignore[call-overload]
            return buffer.write(str(value))
        return buffer.write(to_liquid_string(value, context.autoescape))


class Loop(ForNode):
    """`{% for %}`."""

    __slots__ = ()

    def render_to_output(self, context: MailContext, buffer: TextIO) -> int:  # type: ignore[override]
        """Write the block for each item; return how many characters that were."""
        if self.block.blank:
            return super().render_to_output(context, buffer)
        items, length = self.expression.evaluate(context)
        if not length:
            return self.default.render(context, buffer) if self.default else 0
        name = self.expression.identifier
        loop = ForLoop(f"{name}-{self.expression.iterable}", items, length, context.parentloop())
        namespace: dict[str, object] = {"forloop": loop, name: None}
        written = 0
        with context.loop(namespace, loop):
            for namespace[name] in loop:
                context.watch()
                try:
                    for node in self.block.nodes:
                        written += node.render(context, buffer)
                except ContinueLoop:
                    continue
                except BreakLoop:
                    break
        return written


class _Text(Literal):
    node_class = Text


class _Value(Output):
    node_class = Value


class _Loop(ForTag):
    node_class = Loop


TAGS: tuple[Any, ...] = (_Text, _Value, _Loop)
"""What an environment parses with in place of its own."""
