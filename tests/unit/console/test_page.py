"""What a page may be asked."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta
from starlette.requests import Request

from livepost.console.page import NothingAsked, Page, asked_of
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission


class Asked(msgspec.Struct, frozen=True):
    id: str
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


READ = Permission("read", "house")
PAGE = Page(
    path="/x/{id}", needs=READ, name="x", title="X", asked=Asked, show=lambda house, asked: NothingAsked(), sees=None
)


def _request(query: str) -> Request:
    return Request(
        {"type": "http", "method": "GET", "path": "/x/7", "query_string": query.encode(), "path_params": {"id": "7"}}
    )


def test_the_path_and_the_query_are_read_by_the_struct() -> None:
    assert asked_of(PAGE, _request("limit=5")) == Asked("7", 5)


def test_what_a_form_left_empty_is_not_given() -> None:
    assert asked_of(PAGE, _request("limit=")) == Asked("7", 20)


def test_the_path_cannot_be_overridden_and_what_is_unknown_is_left() -> None:
    assert asked_of(PAGE, _request("id=8&utm_source=mail")) == Asked("7", 20)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=many"])
def test_what_does_not_fit_is_refused(query: str) -> None:
    with pytest.raises(RejectedError, match="does not fit"):
        asked_of(PAGE, _request(query))
