"""One dead letter: why it is one, its call, and the form that corrects and replays it.

Promised: what is personal is shown only where a form has asked for it; a letter is replayed only by a form, and no mail
goes out because of it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

import msgspec

from livepost.audit.deed import Deed
from livepost.console.dead import NO_MAIL, Answer, Position
from livepost.console.house import House
from livepost.console.page import Form, Page
from livepost.errors import OverloadedError, RejectedError
from livepost.govern.access.permission import Permission
from livepost.intake.call import read_json
from livepost.model.letter import LetterDetail, Replay, Replayed

_CANONICAL = msgspec.json.Encoder(order="deterministic")  # for Python true is 1, for JSON it is not


class LetterAsked(msgspec.Struct, frozen=True):
    """Which letter."""

    position: Position


class LetterTold(msgspec.Struct, frozen=True):
    """A letter's forms: show what is personal; try or replay the letter as it is, or, with `edits`, as `call` (JSON)
    has it.
    """

    act: Literal["open", "try", "replay"]
    edits: bool = False
    call: str = ""
    another_person: bool = False


class LetterView(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter's page shows; `call` is JSON: masked, as it was told, or as the form had it."""

    letter: LetterDetail
    call: str
    another_person: bool = False
    answer: Answer | None = None


def _letter(house: House, asked: LetterAsked) -> LetterView:
    return _shown(house, asked.position, open=False)


def _treat(house: House, asked: LetterAsked, told: LetterTold) -> LetterView:
    if told.act == "open":
        return _shown(house, asked.position, open=True)
    answer = _replayed(house, asked.position, told)
    view = _shown(house, asked.position, open=told.edits)
    # What was written stays to be written on, unless it is in the log now.
    call = told.call if told.edits and view.letter.replayed_at is None else view.call
    return msgspec.structs.replace(view, answer=answer, call=call, another_person=told.another_person)


def _replayed(house: House, position: int, told: LetterTold) -> Answer:
    """Try or replay a letter; a refusal is an answer too, so that what was written is not lost."""
    _require_letter(house, position)
    try:
        wish = Replay(
            position=position,
            call=_corrected(house, position, told.call) if told.edits else None,
            another_person=told.another_person,
            dry_run=told.act == "try",
        )
        return _of_one(house.replay(wish), wish)
    except (RejectedError, OverloadedError) as error:
        return Answer(f"Nothing was appended: {error}.", "bad")


def _corrected(house: House, position: int, call: str) -> bytes | None:
    """Return a corrected call; None if it says what the letter says, which is replayed as it is then.

    Raises RejectedError if it is no JSON.
    """
    told, kept = read_json(call.encode()), house.letter(position, open=True).call
    return None if _CANONICAL.encode(told) == _CANONICAL.encode(kept) else call.encode()


def _shown(house: House, position: int, *, open: bool) -> LetterView:
    _require_letter(house, position)
    letter = house.letter(position, open=open)
    return LetterView(letter=letter, call=_pretty(letter.call))


def _require_letter(house: House, position: int) -> None:
    found = house.letters(position - 1, 1)
    if not found or found[0].position != position:
        raise RejectedError(
            f"no dead letter is at position {position:,}: the record there was good, or it is past what the log keeps; "
            "/dead lists those there are",
            code="no_letter",
            status=HTTPStatus.NOT_FOUND,
        )


def _of_one(came: Replayed, wish: Replay) -> Answer:
    if came.before:
        return Answer(f"It was replayed before, at position {came.at:,}; nothing was appended now.", "soft")
    if came.at is not None and came.reason:
        return Answer(f"Replayed at position {came.at:,}, and put aside there again: {came.reason}.", "bad")
    if came.at is not None:
        return Answer(
            f"Replayed at position {came.at:,}: it counts in what we know of the person now, and {NO_MAIL}.", "good"
        )
    if came.reason:
        return Answer(f"It stays put aside: {came.reason}. Nothing was appended.", "bad")
    assert wish.dry_run
    return Answer(f"It would be taken in: it would count in what we know of the person, and {NO_MAIL}.", "good")


def _pretty(call: Any) -> str:
    return "" if call is None else msgspec.json.format(msgspec.json.encode(call), indent=2).decode()


_DEEDS = {"open": "letter.opened", "try": "letter.tried", "replay": "letter.replayed"}


def _deed(did: str, asked: LetterAsked) -> Deed:
    return Deed(did, about=f"position.{asked.position}")


LETTER = Page(
    path="/dead/{position}",
    needs=Permission("read", "letters"),
    name="letter",
    title="Dead letter",
    asked=LetterAsked,
    show=_letter,
    sees=lambda asked, view: _deed("letter.read", asked),
    rail="dead",
    live=False,
    form=Form(
        told=LetterTold,
        needs={
            "open": Permission("open", "letters"),
            "try": Permission("read", "letters"),
            "replay": Permission("change", "letters"),
        },
        does=lambda asked, told: _deed(_DEEDS[told.act], asked),
        take=_treat,
    ),
)
