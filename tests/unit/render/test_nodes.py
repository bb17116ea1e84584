"""Our nodes beside python-liquid's own: drawn templates and values give the same words, warnings and errors."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from liquid import RenderContext, Undefined
from liquid.builtin.content import Literal
from liquid.builtin.output import Output
from liquid.builtin.tags.for_tag import ForTag
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from livepost.render import language, limits, nodes
from livepost.render.language import Gap, MailContext, MailEnvironment, MailTemplate, parse, run
from livepost.render.limits import TemplateError
from livepost.render.money import plain

PARTIALS = {"card": "[{{ item }}{{ a }}{% for x in list %}{{ x }}{% endfor %}]"}
NAMES = (
    "a",
    "b",
    "list",
    "list.first",
    "list[0]",
    "deep.x",
    "deep.size",
    "gone",
    "gone.x",
    "forloop.index",
    "x",
    "x.y",
)
FILTERS = ("", " | default: 'none'", " | upcase", " | escape", " | money", " | join: '<'", " | size", " | plus: 1")
ENDS = ("", "{% break %}", "{% continue %}", "{% if forloop.first %}{% continue %}{% endif %}")


class PlainContext(MailContext):
    """The context with python-liquid's own scopes and its own way through them."""

    def __init__(self, *args: Any, **also: Any) -> None:
        super().__init__(*args, **also)
        self.scope = ReadOnlyChainMap(*self.scope._maps)

    def get(self, path: list[object], *, token: Any, default: object = UNDEFINED) -> object:
        found = RenderContext.get(self, path, token=token, default=default)
        return Gap(found, self.told) if isinstance(found, Undefined) else found


class PlainTemplate(MailTemplate):
    context_class = PlainContext


class PlainEnvironment(MailEnvironment):
    """The language with python-liquid's own nodes."""

    template_class = PlainTemplate

    def __init__(self, *, html: bool) -> None:
        super().__init__(PARTIALS, html=html)
        for tag in (Literal, Output, ForTag):
            self.add_tag(tag)


OURS = {html: MailEnvironment(PARTIALS, html=html) for html in (True, False)}
THEIRS = {html: PlainEnvironment(html=html) for html in (True, False)}


def outcome(environment: MailEnvironment, source: str, values: dict[str, Any]) -> object:
    try:
        return run(parse(environment, source, "drawn"), values)
    except TemplateError as error:
        return str(error)


def both(source: str, values: dict[str, Any], *, html: bool) -> tuple[object, object]:
    """Return what comes of it with our nodes, and with python-liquid's."""
    ours = outcome(OURS[html], source, values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "MailContext", PlainContext)
        return ours, outcome(THEIRS[html], source, values)


def block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    name, end = st.sampled_from(NAMES), st.sampled_from(ENDS)
    many = st.lists(inner, max_size=3).map("".join)
    return st.one_of(
        st.builds("{{% for x in {0} %}}{1}{2}{{% else %}}-{{% endfor %}}".format, name, many, end),
        st.builds("{{% for y in {0} limit: 2 reversed %}}{1}{2}{{% endfor %}}".format, name, many, end),
        st.builds("{{% if {0} == 1 %}}{1}{{% else %}}{2}{{% endif %}}".format, name, many, many),
        st.builds("{{% assign b = {0} %}}{1}".format, name, many),
        st.builds("{{% render 'card', item: {0}, list: list %}}{1}".format, name, many),
        st.builds("{{% capture a %}}{0}{{% endcapture %}}".format, many),
    )


texts = st.sampled_from(["", " ", "<p>", "ä & \n", "€"])
outputs = st.builds("{{{{ {0}{1} }}}}".format, st.sampled_from(NAMES), st.sampled_from(FILTERS))
templates = st.lists(st.recursive(st.one_of(texts, outputs), block, max_leaves=12), max_size=6).map("".join)
atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.sampled_from(["<b>&'\"", "[4990, 'EUR']", "Ada"]),
    st.just([4990, "EUR"]),
)
values_drawn = st.fixed_dictionaries(
    {},
    optional={
        "a": atoms,
        "b": atoms,
        "x": atoms,
        "list": st.one_of(atoms, st.lists(st.one_of(atoms, st.fixed_dictionaries({"y": atoms})), max_size=4)),
        "deep": st.one_of(atoms, st.fixed_dictionaries({"x": st.lists(atoms, max_size=2)})),
        "partial": atoms,
    },
)


@settings(max_examples=400, deadline=None)
@given(templates, values_drawn, st.booleans())
@example("{% for x in list %}{% for y in list %}{{ x }}{{ y }}{% endfor %}{% endfor %}", {"list": [*range(101)]}, True)
@example("{% for x in list %} {% assign a = x %}{% endfor %}{{ a }}{{ partial }}", {"list": [1, 2]}, False)
@example("{{ a }}" * 10, {"a": "ä" * (limits.MAX_OUTPUT_BYTES // 15)}, True)
def test_drawn_templates_give_the_same_by_both(source: str, values: dict[str, Any], html: bool) -> None:
    ours, theirs = both(source, {name: plain(value) for name, value in values.items()}, html=html)
    assert ours == theirs


def test_a_value_that_is_not_escaped_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr(nodes, "_ESCAPED", re.compile("[&<>]"))
    ours, theirs = both("{{ a }}", {"a": "'"}, html=True)
    assert (ours, theirs) == (("'", ()), ("&#39;", ()))


def test_a_loop_that_prints_watches_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    template = parse(MailEnvironment({}, html=False), "{% for x in list %}.{% endfor %}", "slow")
    monkeypatch.setattr(limits, "RENDER_MS", -1)
    with pytest.raises(TemplateError, match="took longer"):
        run(template, {"list": [1]})
