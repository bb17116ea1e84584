from __future__ import annotations

import pytest

from livepost.deliver.links import MAX_LINKS, rewrite_links, with_picture

OWN = "https://m.example"


def tracked(number: int, address: str) -> str | None:
    return f"{OWN}/c/{number}?{address}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<a href="https://s.example/?a=1&amp;b=2">', f'<a href="{OWN}/c/0?https://s.example/?a=1&amp;b=2">'),
        ("<A class=x HREF='http://s.example'>", f'<A class=x HREF="{OWN}/c/0?http://s.example">'),
        (f'<a href="{OWN}/u/token">', f'<a href="{OWN}/u/token">'),
        ('<a href="mailto:a@b.example">', '<a href="mailto:a@b.example">'),
        ('<a href="tel:+49">', '<a href="tel:+49">'),
        ('<a href="#top">', '<a href="#top">'),
        ('<a href="javascript:alert(1)">', '<a href="#">'),
        ('<a href=" JaVaScRiPt:alert(1)">', '<a href="#">'),
        ('<a href="data:text/html,x">', '<a href="#">'),
        ('<a href="">', '<a href="#">'),
        ('<link href="https://fonts.example">', '<link href="https://fonts.example">'),
        ("<a name=x>", "<a name=x>"),
    ],
)
def test_web_links_lead_through_us_and_other_schemes_nowhere(before: str, after: str) -> None:
    assert rewrite_links(before, OWN, tracked) == after


def test_a_link_that_gets_no_token_stays_as_it_is() -> None:
    page = '<a href="https://s.example">'
    assert rewrite_links(page, OWN, lambda number, address: None) == page


def test_links_are_numbered_and_those_above_the_bound_stay() -> None:
    page = '<a href="https://s.example">' * (MAX_LINKS + 1)
    rewritten = rewrite_links(page, OWN, tracked)
    assert f"/c/{MAX_LINKS - 1}?" in rewritten
    assert rewritten.endswith('<a href="https://s.example">')


def test_a_picture_comes_last_in_the_page() -> None:
    picture = '<img src="https://m.example/o/t.gif" width="1" height="1" alt="">'
    assert with_picture("<body>a</body> b </body></html>", "https://m.example/o/t.gif") == (
        f"<body>a</body> b {picture}</body></html>"
    )
    assert with_picture("<p>a</p>", "https://m.example/o/t.gif") == f"<p>a</p>{picture}"
