"""A page: where it is, what it asks of the house, which template shows it, what its forms do.

In: a request's path, query and form. Out: a template's context. Promised: no parameter and no field reaches a page that
its struct does not allow; a form is no longer than FORM_BYTES_MAX.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from livepost.audit.deed import Deed
from livepost.console.live import EVERY_S
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission

T = TypeVar("T", bound=msgspec.Struct)

FORM_BYTES_MAX = 256 * 1024
"""Length of a form: a corrected call (`model.letter.EDITED_BYTES_MAX`) with each character escaped, and a few words."""

FORM_FIELDS_MAX = 32
FORM_TYPE = "application/x-www-form-urlencoded"


ANY = ""
"""Stands for the one act of forms that tell none."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What the forms of a page do; they are sent (POST) to the page's own address.

    told    struct of their fields
    needs   what one must be allowed, by the `act` that is told; for forms without one, by ANY
    does    returns what the audit is told before it is done, from what was asked and told
    take    does what is told and returns what the page's template shows then, from the house, what was asked and told;
            blocking
    """

    told: type[msgspec.Struct]
    needs: Mapping[str, Permission]
    does: Callable[[Any, Any], Deed]
    take: Callable[[Any, Any, Any], msgspec.Struct]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the console.

    needs   what one must be allowed to be shown it
    asked   struct of its path and query parameters
    show    returns what the template shows, from the house and what was asked; blocking; its template is `name`.html,
            whose block `live` is sent again whenever it has changed
    sees    returns what the audit is told, from what was asked and what is shown; None where it is about no people
    rail    the page of the rail that it belongs to, "" for itself
    every_s how often the live part is looked at anew; what costs the house more is asked less often
    live    whether it is looked at every second while it is open; the answer to a form never is
    form    what its forms do, None if it has none that change anything
    """

    path: str
    needs: Permission
    name: str
    title: str
    asked: type[msgspec.Struct]
    show: Callable[[Any, Any], msgspec.Struct]
    sees: Callable[[Any, Any], Deed] | None
    rail: str = ""
    every_s: float = EVERY_S
    live: bool = True
    form: Form | None = None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that are no page, of a media type, with headers of their own over those of all pages."""

    body: bytes
    kind: str
    headers: dict[str, str] = {}


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the house that is no page: what a frame shows, a file to keep.

    needs   as for a page
    asked   as for a page
    give    returns it, from the house and what was asked; blocking
    sees    returns what the audit is told, from what was asked
    framed  it is for the frame of a page: a browser that says it wants to see it by itself is led to the page above
    """

    path: str
    needs: Permission
    asked: type[msgspec.Struct]
    give: Callable[[Any, Any], Given]
    sees: Callable[[Any], Deed]
    framed: bool = False


class NothingAsked(msgspec.Struct, frozen=True):
    """For pages without parameters."""


class Elsewhere(msgspec.Struct, frozen=True):
    """Returned by a page's `show` when what was asked for has a page of its own, at `path`."""

    path: str


def need_of(form: Form, told: msgspec.Struct) -> Permission:
    """Return what one must be allowed to do what a form tells; raise RejectedError (403) if nothing was declared."""
    need = form.needs.get(getattr(told, "act", ANY))
    if need is None:
        raise RejectedError("nobody may do this: it has no rule", code="role", status=HTTPStatus.FORBIDDEN)
    return need


def asked_of(page: Page | Paper, request: Request) -> msgspec.Struct:
    """Return the request's parameters; what is empty counts as not given, as forms send it.

    Raises RejectedError (400) for a value that does not fit.
    """
    return _converted({**request.query_params, **request.path_params}, page.asked, "the address")


async def told_of(form: Form, request: Request) -> msgspec.Struct:
    """Return the fields of the form that was sent; raise RejectedError as `fields_of` does."""
    return await fields_of(form.told, request)


async def fields_of(told: type[T], request: Request) -> T:
    """Return the fields of a form that was sent, as its struct; what is empty counts as not given.

    Raises RejectedError: 413 if it is too long, 415 if it is no form, 400 for a value that does not fit.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise RejectedError(
            f"expected a form ({FORM_TYPE}), got {kind[:100] or 'nothing of a kind'}; send it from the page itself",
            code="media_type",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    try:
        given = dict(parse_qsl((await _body(request)).decode(), max_num_fields=FORM_FIELDS_MAX))
    except ValueError:
        raise RejectedError(
            f"expected a form of at most {FORM_FIELDS_MAX} fields in UTF-8, got another; send it from the page itself",
            code="form",
        ) from None
    return _converted(given, told, "the form")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise RejectedError(
                f"expected a form of at most {FORM_BYTES_MAX} bytes, got a longer one; shorten what it says",
                code="form_too_large",
                status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
    return bytes(body)


def _converted(given: dict[str, Any], fields: type[T], what: str) -> T:
    known = {name: value for name, value in given.items() if value and name in fields.__struct_fields__}
    try:
        return msgspec.convert(known, fields, strict=False)
    except msgspec.ValidationError as error:
        raise RejectedError(f"{what} does not fit this page: {str(error)[:200]}", code="parameter") from None
