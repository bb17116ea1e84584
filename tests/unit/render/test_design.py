from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from livepost.render.design import KNOWN_TAGS, Marks, compile_mjml, inline_css
from livepost.render.limits import TemplateError
from livepost.render.template import Templates

REAL = Path(__file__).parents[4] / "shared" / "data" / "email" / "mjml_templates" / "templates"
BODY = (
    "<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>{column}</mj-column></mj-section></mj-body></mjml>"
)


def compiled(column: str, head: str = "") -> str:
    html, marks = compile_mjml(BODY.format(column=column, head=head), "t")
    return inline_css(html, marks)[0]


@pytest.mark.parametrize(
    "liquid",
    [
        '{{ name | default: "friend" }}',
        "{% if a < b and c > d %}x{% endif %}",
        "{{ 'a & b' | append: \"<\" }}",
        "{% raw %}{{ x }}{% endraw %}",
        "{%- assign x = 1 -%}",
        "{{ a\n | b }}",
    ],
)
def test_liquid_comes_through_two_parsers_as_it_was(liquid: str) -> None:
    assert liquid in compiled(f"<mj-text>{liquid}</mj-text>")
    assert f'href="{liquid}"' in compiled(f'<mj-button href="{liquid}">x</mj-button>')


def test_a_loop_between_rows_stays_between_them() -> None:
    html = compiled(
        "<mj-raw>{% for p in products %}</mj-raw><mj-text>{{ p }}</mj-text><mj-raw>{% endfor %}</mj-raw>"
        "<mj-table>{% for p in products %}<tr><td>{{ p }}</td></tr>{% endfor %}</mj-table>"
    )
    first, last = html.index("{% for"), html.rindex("{% endfor")
    assert html[first - 7 : first] == "<tbody>"
    assert html[first:].startswith("{% for p in products %}<tr>")
    assert html[:last].endswith("</td></tr>")


def test_styles_are_inlined_and_media_queries_stay() -> None:
    html = compiled(
        '<mj-text css-class="lead"><p class="big">x</p></mj-text>',
        '<mj-style inline="inline">.big { color: #123456 }</mj-style>'
        "<mj-style>@media (max-width: 9px) { .big { color: red } }</mj-style>",
    )
    assert re.search(r'class="big" style="[^"]*color: #123456', html)
    assert "@media (max-width: 9px)" in html


def test_no_font_is_fetched_from_others_unless_the_author_names_one() -> None:
    assert "fonts.googleapis" not in compiled("<mj-text>x</mj-text>")


@pytest.mark.parametrize("tag", ["mj-chart", "mj-html-attributes", "mj-include", "mj-textt"])
def test_a_tag_that_mjml_would_pass_silently_is_refused_with_its_line(tag: str) -> None:
    with pytest.raises(TemplateError, match=rf"t: expected a tag of MJML on line 2, got <{tag}>"):
        compile_mjml(f"<mjml>\n<mj-body><{tag}></{tag}></mj-body></mjml>", "t")


def test_control_the_compiler_alone_passes_the_unknown_tag_silently() -> None:
    from mjml import mjml2html

    assert "<mj-textt>lost</mj-textt>" in mjml2html("<mjml><mj-body><mj-textt>lost</mj-textt></mj-body></mjml>")


def test_liquid_where_mjml_drops_it_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"MJML drops `\{\{ w \}\}`"):
        compiled('<mj-image src="x.png" width="{{ w }}"/>')


def test_css_that_cannot_be_read_stays_and_is_told() -> None:
    source = '<html><head><style>p { margin: 0 }</style></head><body><p style="a b;c:d">{{ x }}</p></body></html>'
    marks = Marks(source)
    page, warnings = inline_css(marks.marked, marks)
    assert page == source
    assert ["CSS" in warning for warning in warnings] == [True]


def test_an_attribute_over_several_lines_stays_a_style() -> None:
    html = compiled('<mj-text><p style="\ncolor: red;\n">x</p></mj-text>')
    assert "\\n" not in html
    assert re.search(r'<p style="[^"]*color: red', html)


@pytest.mark.parametrize("source", ["", "<mjml>", "no mjml", "<mjml><mj-body></mjml>", "<mjml><mj-body><mj-text"])
def test_what_is_no_mjml_is_refused(source: str) -> None:
    with pytest.raises(TemplateError, match="t: "):
        compile_mjml(source, "t")


def test_every_known_tag_is_one_the_compiler_reads_somewhere() -> None:
    assert len(KNOWN_TAGS) == 32


def real_templates() -> list[Path]:
    return sorted(REAL.glob("*.mjml"))


@pytest.mark.skipif(
    not real_templates() and not os.environ.get("CI"), reason="../shared/data/email/mjml_templates is not here"
)
def test_real_newsletters_compile_and_render() -> None:
    found = real_templates()
    assert len(found) >= 10
    templates = Templates({path.name: path.read_text() for path in found})
    assert len(templates.names()) == len(found)
