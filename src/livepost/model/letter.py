"""Dead letters as rooms tell of them: in a list, one with its call, a wish to replay one and what came of it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Fate: TypeAlias = Literal["dead_lettered", "quarantined"]

EDITED_BYTES_MAX = 64 * 1024
"""Length of a corrected call as JSON: twice what a client may send, since an edited file may be indented."""

LETTERS_MAX = 10_000
"""Letters one question gets."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was kept aside, without anything personal.

    position      its seq in the log
    fate          where conservation counts it: dead-lettered, or quarantined because nobody declared the event
    at            when the log stamped it (UTC ms); `source` and `name` as in the record, `name` "" if it has none
    replayed_at   the position of the record that replays it, None while there is none
    """

    position: int
    fate: Fate
    reason: str
    at: int
    source: str
    name: str
    replayed_at: int | None = None


class LetterDetail(Letter, frozen=True, kw_only=True):
    """All that there is to know of a letter; times are UTC ms, `subject` is in hex.

    replays     the letter that this one was meant to replay, None if it came from outside
    forgotten   the person was forgotten: nothing can be opened or replayed any more, and `call` is None
    opened      whether `call` is as it was told; if not, it has the names of all parts, and the types of their values
    """

    replays: int | None
    key: str
    origin: str
    subject: str
    known: bool
    message_id: str
    timestamp: int | None
    sent_at: int | None
    received_at: int
    effective_ts: int
    forgotten: bool
    opened: bool
    call: Any


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to replay a letter.

    call             the corrected call as JSON, None to replay the letter as it is
    another_person   the corrected call may name another person than the letter did
    dry_run          only say what would come of it
    """

    position: int
    call: bytes | None = None
    another_person: bool = False
    dry_run: bool = False


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a wish to replay the letter at `position`.

    at       the position of the record that replays it; None if nothing was appended, now or before
    reason   why it is still a dead letter, "" if it is none; with `at`, why the engine put the new record aside, too
    before   it had been replayed before, at `at`; nothing was appended now
    """

    position: int
    at: int | None = None
    reason: str = ""
    before: bool = False
