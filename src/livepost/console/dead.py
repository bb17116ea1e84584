"""Dead letters and quarantined events: how many of which reason, each one, and the forms that replay them.

Promised: what is personal is shown only where a form has asked for it; a letter is replayed only by a form, and no mail
goes out because of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Literal

import msgspec
from markupsafe import Markup
from msgspec import Meta

from livepost.audit.deed import Deed, named
from livepost.console.house import House
from livepost.console.page import Form, Page
from livepost.console.picture.bar import Part, bar
from livepost.console.words import counted
from livepost.errors import LivepostError
from livepost.govern.access.permission import Permission
from livepost.model.letter import LETTERS_MAX, Letter, Replay, Replayed

LETTERS_LOOKED_AT = 5 * LETTERS_MAX
"""Letters that the list looks through, the oldest ones; the command line has all."""

LETTERS_SHOWN = 50
REASONS_SHOWN = 100

REPLAYED_AT_ONCE = 200
"""Letters that one form replays, each with a commit of its own; the answer leads to the next ones."""

NO_MAIL = "no mail is sent because of it"
Position = Annotated[int, Meta(ge=0, le=2**53)]
Reason = Annotated[str, Meta(max_length=2_000)]


class DeadAsked(msgspec.Struct, frozen=True):
    """Which letters: of a reason, from before a position."""

    reason: Reason | None = None
    before: Position | None = None


class Group(msgspec.Struct, frozen=True):
    """The letters of one reason: all, and those that were not replayed."""

    reason: str
    fate: str
    count: int
    waiting: int


class Answer(msgspec.Struct, frozen=True):
    """What came of a form, in words, and their class."""

    text: str
    tint: str


class DeadView(msgspec.Struct, frozen=True, kw_only=True):
    """What the list shows.

    reason    the one that is asked for, and how many letters of it are `waiting`; None and 0 for all
    groups    the commonest reasons, those with most letters waiting first; `more_groups` are not shown
    letters   the newest first; `older` is the position to ask from for those before them, None if there are none
    all_seen  whether all letters were looked at
    answer    what came of a form; `go_on` is the position behind which letters of the reason are left to be replayed
    """

    reason: str | None
    waiting: int
    groups: list[Group]
    more_groups: int
    parts: list[Part]
    bar: Markup
    letters: list[Letter]
    older: int | None
    seen: int
    all_seen: bool
    answer: Answer | None = None
    go_on: int | None = None


class ReasonTold(msgspec.Struct, frozen=True):
    """The form under a reason: try or replay the letters of it that wait, from behind a position."""

    act: Literal["try", "replay"]
    reason: Reason
    after: Annotated[int, Meta(ge=-1, le=2**53)] = -1


def _dead(house: House, asked: DeadAsked) -> DeadView:
    letters = list(islice(_all(house), LETTERS_LOOKED_AT + 1))
    all_seen = len(letters) <= LETTERS_LOOKED_AT
    letters = letters[:LETTERS_LOOKED_AT]
    groups, parts = _groups(letters), _parts(letters)
    wanted = _wanted(letters, asked)
    return DeadView(
        reason=asked.reason,
        waiting=sum(one.waiting for one in groups if one.reason == asked.reason),
        groups=groups[:REASONS_SHOWN],
        more_groups=max(0, len(groups) - REASONS_SHOWN),
        parts=parts,
        bar=bar(parts, ", ".join(f"{one.count:,} {one.name}" for one in parts)),
        letters=wanted[:LETTERS_SHOWN],
        older=wanted[LETTERS_SHOWN - 1].position if len(wanted) > LETTERS_SHOWN else None,
        seen=len(letters),
        all_seen=all_seen,
    )


def _replay_reason(house: House, asked: DeadAsked, told: ReasonTold) -> DeadView:
    waiting = (one for one in _all(house, told.after) if one.reason == told.reason and one.replayed_at is None)
    chosen = list(islice(waiting, REPLAYED_AT_ONCE + 1))
    now, trouble = [], ""
    for letter in chosen[:REPLAYED_AT_ONCE]:
        try:
            now.append(house.replay(Replay(position=letter.position, dry_run=told.act == "try")))
        except LivepostError as error:  # what was done is done: it is said, and so is what stopped it
            trouble = str(error)
            break
    view = _dead(house, DeadAsked(reason=told.reason))
    left = len(chosen) > REPLAYED_AT_ONCE and not trouble
    return msgspec.structs.replace(
        view,
        answer=_of_many(now, trouble, tried=told.act == "try"),
        go_on=chosen[REPLAYED_AT_ONCE - 1].position if left else None,
    )


def _all(house: House, after: int = -1) -> Iterator[Letter]:
    while letters := house.letters(after, LETTERS_MAX):
        yield from letters
        if len(letters) < LETTERS_MAX:
            return
        after = letters[-1].position


def _wanted(letters: Sequence[Letter], asked: DeadAsked) -> list[Letter]:
    """Return the letters that are asked for, the newest first; one more than are shown at most."""
    wanted = (
        one
        for one in reversed(letters)
        if asked.reason in (None, one.reason) and (asked.before is None or one.position < asked.before)
    )
    return list(islice(wanted, LETTERS_SHOWN + 1))


def _groups(letters: Sequence[Letter]) -> list[Group]:
    count = Counter((one.reason, one.fate) for one in letters)
    waiting = Counter((one.reason, one.fate) for one in letters if one.replayed_at is None)
    groups = [Group(*kind, count=count[kind], waiting=waiting[kind]) for kind in count]
    return sorted(groups, key=lambda one: (-one.waiting, -one.count, one.reason))


def _parts(letters: Sequence[Letter]) -> list[Part]:
    waiting = Counter(one.fate for one in letters if one.replayed_at is None)
    return [
        Part("dead-lettered", waiting["dead_lettered"], "red"),
        Part("quarantined", waiting["quarantined"], "amber"),
        Part("replayed", len(letters) - waiting.total(), "soft"),
    ]


def _of_many(came: Sequence[Replayed], trouble: str, *, tried: bool) -> Answer:
    still = Counter(one.reason for one in came if one.reason)
    good = len(came) - still.total()
    told = []
    if good:
        verb = "would be" if tried else "was" if good == 1 else "were"
        told.append(f"{counted(good, 'letter', 'letters')} of this reason {verb} replayed, and {NO_MAIL}.")
    if still:
        reason, most = still.most_common(1)[0]
        of_them = "" if most == still.total() else f", {most:,} of them"
        verb = "would stay" if tried else "stays" if still.total() == 1 else "stay"
        told.append(f"{counted(still.total(), 'letter', 'letters')} {verb} put aside{of_them} because: {reason}.")
    if trouble:
        told.append(f"Then it stopped: {trouble}.")
    tint = "bad" if trouble else "warn" if still else "good"
    return Answer(" ".join(told) or "No letter of this reason waits to be replayed.", tint)


def _deed(asked: DeadAsked, told: ReasonTold) -> Deed:
    return Deed("letters.tried" if told.act == "try" else "letters.replayed", about=named(told.reason))


DEAD = Page(
    path="/dead",
    needs=Permission("read", "letters"),
    name="dead",
    title="Dead letters",
    asked=DeadAsked,
    show=_dead,
    sees=None,
    live=False,  # a list to work on, and of up to LETTERS_LOOKED_AT letters
    form=Form(
        told=ReasonTold,
        needs={"try": Permission("read", "letters"), "replay": Permission("change", "letters")},
        does=_deed,
        take=_replay_reason,
    ),
)
