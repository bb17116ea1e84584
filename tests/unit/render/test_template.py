from __future__ import annotations

import pytest

from livepost.model.message import EmailDraft
from livepost.render.limits import CLIPPED_BYTES, TemplateError
from livepost.render.template import MAX_LINE_CHARS, Templates, one_line

MJML = """<mjml><mj-head><mj-preview>{{ preheader }}</mj-preview></mj-head><mj-body><mj-section><mj-column>
<mj-text>Hi {{ first_name | default: "friend" }}</mj-text>
{% for p in products %}<mj-text>{{ p }}
<a href="https://s.example/{{ p | url_encode }}">see it</a></mj-text>{% endfor %}
<mj-text><a href="{{ unsubscribe_url }}">Unsubscribe</a> {% render 'foot' %}</mj-text>
</mj-column></mj-section></mj-body></mjml>"""
FILES = {"browse.mjml": MJML, "foot.liquid": "<b>{{ shop }}</b>", "notes.md": "not a template"}
VALUES = {"products": ["a cup", "<b>"], "unsubscribe_url": "https://m.example/u/x"}


def draft(subject: str = "Still thinking?", preheader: str = "") -> EmailDraft:
    return EmailDraft(template="browse", subject=subject, preheader=preheader)


def test_a_mail_has_a_subject_html_and_text_of_the_same_words() -> None:
    mail = Templates(FILES).render(draft("Hi {{ first_name | default: 'you' }}", "{{ products[0] }}"), VALUES)
    assert mail.subject == "Hi you"
    assert "Hi friend" in mail.html
    assert "&lt;b&gt;" in mail.html
    assert mail.text.splitlines() == [
        "Hi friend",
        "",
        "a cup see it (https://s.example/a+cup)",
        "",
        "<b> see it (https://s.example/%3Cb%3E)",
        "",
        "Unsubscribe (https://m.example/u/x)",
    ]


def test_a_text_of_ones_own_is_taken_instead() -> None:
    mail = Templates(FILES | {"browse.txt": "Dear {{ first_name | default: 'all' }}\n"}).render(draft(), VALUES)
    assert mail.text == "Dear all"


def test_a_partial_is_html_in_html_and_words_in_text() -> None:
    mail = Templates(FILES).render(draft(), VALUES)
    assert "<b></b>" in mail.html
    templates = Templates(FILES | {"foot.liquid": '<b>1 Road</b> <a href="https://s.example">us</a>'})
    mail = templates.render(draft(), VALUES)
    assert "<b>1 Road</b>" in mail.html
    assert mail.text.endswith("1 Road us (https://s.example)")


def test_the_same_sources_have_the_same_version_and_others_another() -> None:
    first, same = Templates(FILES).version("browse"), Templates(FILES).version("browse")
    assert first == same
    assert Templates(FILES | {"browse.mjml": MJML + "\n"}).version("browse") != first


def test_what_a_template_asks_for_is_known_before_it_is_rendered() -> None:
    templates = Templates(FILES)
    assert templates.names() == {"browse"}
    assert templates.variables("browse") >= {"first_name", "products", "unsubscribe_url", "preheader"}


def test_a_template_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(TemplateError, match=r"expected one of browse; add nosuch\.mjml"):
        Templates(FILES).render(EmailDraft(template="nosuch", subject="x"), {})


def test_a_template_that_cannot_be_compiled_stops_the_start() -> None:
    for files in (
        {"a.mjml": "<mjml>"},
        {"a.mjml": MJML.replace("{% endfor %}", "")},
        {"a.liquid": "{% if %}"},
        {"a.mjml": MJML, "a.txt": "{{ x"},
    ):
        with pytest.raises(TemplateError, match="a: "):
            Templates({"foot.liquid": "", **files})


def test_a_large_html_is_told() -> None:
    rendering = Templates(FILES).preview(draft(), VALUES | {"products": ["x" * 1_000] * 110})
    assert any(str(CLIPPED_BYTES) in warning for warning in rendering.warnings)
    warnings = Templates(FILES).preview(draft("{{ nosuch }}"), VALUES).warnings
    assert warnings == (
        "'nosuch' is undefined",
        "'shop' is undefined",
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nBcc: x@y.example", "a Bcc: x@y.example"),
        ("a\u2028b\u0085c\x0bd\x0ce\x00f\ud800g", "a b c d efg"),
        ("  a   b ", "a b"),
        ("=?utf-8?q?a=0d=0aBcc:_x?=", "= ?utf-8?q?a=0d=0aBcc:_x?="),
        ("\u202eevil", "evil"),
        ("x" * 300, "x" * MAX_LINE_CHARS),
    ],
)
def test_a_subject_is_one_line(text: str, line: str) -> None:
    assert one_line(text) == line
    assert Templates(FILES).render(draft("{{ name }}"), VALUES | {"name": text}).subject == line
