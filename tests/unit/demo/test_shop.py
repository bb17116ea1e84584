"""The demo shop's folder: it compiles, and its templates make mails."""

from __future__ import annotations

import tomllib

import pytest

from livepost.model.message import EmailDraft
from livepost.project.check import check_project
from livepost.project.compiled import compile_project
from livepost.render.template import Templates
from tests.unit.demo.shop_compiled import FOLDER, declarations

TEMPLATES = Templates({path.name: path.read_text() for path in (FOLDER / "templates").iterdir()})
VALUES = {
    "first_name": "Ada",
    "products": ["Rolls: bagels", "Tea <b>& milk</b>"],
    "categories": ["Cheese", "Beef"],
    "category": "Cheese",
    "shop_name": "The Corner Shop",
    "shop_address": "1 Market Square",
    "unsubscribe_url": "https://shop.example/u/token",
    "preferences_url": "https://shop.example/preferences/token",
}


def test_the_shop_has_nothing_to_complain_about() -> None:
    shop = declarations()
    assert list(check_project(shop, templates=TEMPLATES.names())) == []
    assert [each.name for each in compile_project(shop).campaigns] == [
        "welcome",
        "browse_reminder",
        "abandoned_cart",
        "win_back",
        "favourites",
        "shop_letter",
    ]


def test_the_settings_carry_the_postal_address_and_keep_mails_here() -> None:
    settings = tomllib.loads((FOLDER / "livepost.toml").read_text())
    assert settings["mail"] == "keep:"
    assert "Springfield" in settings["shop_address"]


@pytest.mark.parametrize("name", sorted(TEMPLATES.names()))
def test_a_template_makes_a_mail_with_a_way_out_and_the_address(name: str) -> None:
    made = TEMPLATES.preview(EmailDraft(template=name, subject="Hello", preheader="A word before"), VALUES)
    assert made.warnings == ()
    for part in (made.mail.html, made.mail.text):
        assert "https://shop.example/u/token" in part
        assert "1 Market Square" in part
        assert "The Corner Shop" in part
    assert "{{" not in made.mail.html and "{%" not in made.mail.html


@pytest.mark.parametrize("name", ["browse_reminder", "abandoned_cart"])
def test_products_are_listed_as_text_never_as_html(name: str) -> None:
    made = TEMPLATES.render(EmailDraft(template=name, subject="Hello"), VALUES)
    assert "Rolls: bagels" in made.html
    assert "Tea &lt;b&gt;&amp; milk&lt;/b&gt;" in made.html
    assert "Tea <b>& milk</b>" in made.text


def test_a_shopper_without_a_name_is_a_friend() -> None:
    nameless = {key: value for key, value in VALUES.items() if key != "first_name"}
    made = TEMPLATES.render(EmailDraft(template="welcome", subject="Hello"), nameless)
    assert "Hello friend" in made.text
