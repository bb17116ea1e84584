from __future__ import annotations

from livepost.render.words import text_of


def test_blocks_become_lines_and_links_keep_their_address() -> None:
    html = '<h1>Hi</h1><p>See <a href="https://s.example/a?b=1&amp;c=2">our shop</a>.</p><ul><li>one</li></ul>'
    assert text_of(html) == "Hi\n\nSee our shop (https://s.example/a?b=1&c=2).\n\none"


def test_a_link_that_is_its_own_label_is_said_once() -> None:
    assert text_of('<a href="https://s.example">https://s.example</a>') == "https://s.example"


def test_what_is_for_screens_only_is_left_out() -> None:
    html = (
        "<head><title>T</title><style>p{}</style></head><!--[if mso]><p>mso</p><![endif]-->"
        '<div style="display:none;max-height:0"><div>peek</div></div><img alt="A cup" src="x"><img src="y"><p>x</p>'
    )
    assert text_of(html) == "A cup\nx"


def test_a_picture_that_is_a_link_is_named_by_its_alt() -> None:
    assert text_of('<a href="https://s.example"><img alt="Sale" src="x"></a>') == "Sale (https://s.example)"
