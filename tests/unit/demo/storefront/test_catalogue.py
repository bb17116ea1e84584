"""The catalogue: the file is what the tables say."""

from __future__ import annotations

from livepost.demo.storefront.catalogue import KEPT, SOUGHT, make_catalogue, read_catalogue
from livepost.demo.storefront.pictures import DRAWN, GROUNDS
from livepost.demo.tables import open_tables


def test_the_file_is_what_the_tables_say_and_another_price_would_be_found() -> None:
    made = make_catalogue(open_tables())
    assert made == read_catalogue(), f"write {KEPT} anew"
    assert made[1:] != read_catalogue()


def test_there_are_sixteen_different_products_each_with_a_price_a_shelf_and_a_drawing_of_its_own() -> None:
    products = read_catalogue()
    assert len(products) == len(SOUGHT) == len({one.product_id for one in products}) == 16
    assert {one.drawn for one in products} == set(DRAWN) and len(DRAWN) == 16
    assert {one.category for one in products} == set(GROUNDS)
    assert all(0 < one.cents < 1_000 and not one.name.isupper() for one in products)


def test_a_price_is_said_in_dollars_and_cents() -> None:
    assert {one.name: one.price for one in read_catalogue()}["Bananas"] == "0.98"
