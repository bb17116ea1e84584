"""What `livepost init` writes is a project without a problem."""

import runpy
from pathlib import Path

from livepost import project
from livepost.project.check import check_project
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from livepost.project.event import event_line

STARTER = Path(project.__file__).parent / "starter"
PAGE = collect(runpy.run_path(str(STARTER / "shop.py")))


def test_the_page_has_no_problem_and_its_template_is_there() -> None:
    templates = {path.stem for path in (STARTER / "templates").glob("*.mjml")}
    assert check_project(PAGE, templates=templates) == []
    assert len(check_project(PAGE, templates=templates - {"browse_reminder"})) == 1


def test_the_page_compiles_to_what_it_says() -> None:
    compiled = compile_project(PAGE)
    assert compiled.profile == "Shopper"
    assert [(segment.name, segment.text) for segment in compiled.segments] == [
        ("browsing", "views_7d >= 3 and orders_7d == 0"),
        ("left_cart", "since(ProductAdded) >= hours(1) and since(OrderCompleted) > since(ProductAdded)"),
        ("vip", "spend_90d >= 500"),
    ]
    assert [(campaign.name, campaign.audience) for campaign in compiled.campaigns] == [("browse_reminder", "browsing")]


def test_a_declaration_knows_its_line() -> None:
    viewed = next(event for event in PAGE.events if event.__name__ == "ProductViewed")
    assert event_line(viewed) == f"{STARTER / 'shop.py'}:7"


def test_the_template_has_an_unsubscribe_link_and_a_postal_address() -> None:
    template = (STARTER / "templates" / "browse_reminder.mjml").read_text()
    assert '<a href="{{ unsubscribe_url }}">' in template
    assert "{{ shop_address }}" in template
