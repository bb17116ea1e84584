"""The pictures: shapes only, the same each time, and no two alike."""

from __future__ import annotations

from xml.etree import ElementTree

from livepost.demo.storefront.catalogue import read_catalogue
from livepost.demo.storefront.pictures import picture

SHAPES = {"svg", "rect", "circle", "ellipse", "path"}


def test_each_picture_is_well_formed_and_of_shapes_alone() -> None:
    for product in read_catalogue():
        root = ElementTree.fromstring(picture(product))
        assert {one.tag.rpartition("}")[2] for one in root.iter()} <= SHAPES


def test_a_picture_is_the_same_each_time_and_no_two_products_look_alike() -> None:
    products = read_catalogue()
    assert [picture(one) for one in products] == [picture(one) for one in products]
    assert len({picture(one) for one in products}) == len(products)
