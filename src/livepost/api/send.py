"""One transactional mail, asked for over HTTP: a receipt, a reset of a password.

In: an address, a template of the project, a subject, values. Out: the delivery that the idempotency key stands for.
Promised: a key brings one mail at most; what is refused left nothing behind.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from http import HTTPStatus
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import UNSET, Meta, UnsetType

from livepost.api.action import Action, Done
from livepost.deliver.message import is_address
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.ledger.base import KnownSend
from livepost.ledger.moves import State

MAX_LINE_CHARS = 1_000
"""A subject or preheader as it is sent, before its Liquid is rendered."""

MAX_ADDRESS_CHARS = 254
MAX_ID_CHARS = 255

_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = "[A-Za-z0-9-]{1,63}"
ADDRESS = rf"^(?=.{{1,64}}@){_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})+$"
"""What `is_address` takes, for those who read the description."""

LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
_LINE = re.compile(LINE[1:-1])


class SendWish(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A mail to one address.

    user_id     whose address it is; without it the mail belongs to whoever is known by the address
    template    the name of a template of the project
    subject     one line; Liquid, as is the preheader
    variables   values for the template, beside the person's features; they stand before features of the same name
    """

    to: Annotated[str, Meta(max_length=MAX_ADDRESS_CHARS, extra_json_schema={"pattern": ADDRESS})]
    template: Annotated[str, Meta(min_length=1, max_length=200)]
    subject: Annotated[str, Meta(min_length=1, max_length=MAX_LINE_CHARS, extra_json_schema={"pattern": LINE})]
    user_id: Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)] | UnsetType = UNSET
    preheader: Annotated[str, Meta(max_length=MAX_LINE_CHARS, extra_json_schema={"pattern": LINE})] = ""
    variables: dict[str, Any] = {}


class SendAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery: ids in hex; `state` as the ledger has it now, with the reason of a skip and words to it."""

    id: str
    person: str
    state: State
    reason: str
    detail: str


class Sends(Protocol):
    """Who takes mails that programs ask for."""

    @property
    def templates(self) -> Collection[str]:
        """The names of the project's templates."""
        ...

    async def send(self, source: str, key: str, wish: SendWish) -> KnownSend:
        """Take a mail, durably, or return what the key stands for.

        Raises RejectedError (409) if the key came with another body, (422) if the project does not take the address,
        OverloadedError or StoreError if it is not taken: then the same may be sent again.
        """
        ...


async def _send(sends: Sends, source: str, key: str, wish: SendWish) -> Done:
    _require_one_line(wish)
    if not is_address(wish.to):
        raise _unfit("expected `to` to be a bare ASCII address such as ada@example.com", "correct it")
    if wish.template not in sends.templates:
        raise RejectedError(
            f"expected a template of the project ({', '.join(sorted(sends.templates)) or 'none'}), got another name; "
            "add its .mjml and start the house again",
            code="no_template",
            status=HTTPStatus.NOT_FOUND,
        )
    known = await sends.send(source, key, wish)
    return Done(answer_of(known), known.new)


def _require_one_line(wish: SendWish) -> None:
    for name, line in (("subject", wish.subject), ("preheader", wish.preheader)):
        if not _LINE.fullmatch(line):
            raise _unfit(f"expected `{name}` to be one line", "take newlines and control characters out")


def _unfit(expected: str, next_: str) -> RejectedError:
    return RejectedError(
        f"{expected}, got something else; {next_}", code="unfit", status=HTTPStatus.UNPROCESSABLE_ENTITY
    )


def answer_of(known: KnownSend) -> SendAnswer:
    """Return the delivery that a key stands for, as the API answers it."""
    delivery = known.delivery
    return SendAnswer(
        id=delivery.decision.id.hex(),
        person=delivery.person.hex(),
        state=delivery.state,
        reason=delivery.reason,
        detail=delivery.detail,
    )


SEND = Action(
    path="/api/send",
    needs=Permission("send", "mails"),
    name="send",
    summary="Send one transactional mail",
    wish=SendWish,
    answers=SendAnswer,
    run=_send,
    does=None,  # the ledger has each, with who asked for it
    refusals={
        HTTPStatus.NOT_FOUND: "no template is called so",
        HTTPStatus.CONFLICT: "the key came with another body before",
        HTTPStatus.UNPROCESSABLE_ENTITY: "the address cannot be written to, or a line is more than one",
    },
)
