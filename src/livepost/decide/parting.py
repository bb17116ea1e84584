"""The journal of a person who is two people again (docs/reference/semantics.md, "Undoing a merge").

What would mail again, or allow more, if it were forgotten stays with both: entries, decisions, assignments, refusals.
So does the zone.
"""

from __future__ import annotations

from collections.abc import Mapping

from livepost.model.journal import Consent, Journal, Journey, Memory, standing

Said = Mapping[str, Consent]
"""What the log says that one of the two said last, by purpose."""


def part_journal(whole: Journal, kept: Said, other: Said) -> tuple[Journal, Journal, dict[str, Journey], list[str]]:
    """Return the journal of the one who keeps the name, that of the other, the journeys that wait, by campaign, and the
    purposes for which the name is allowed no more.

    The journeys are in neither journal: whose they are is to be seen.
    """
    waiting = {name: memory.journey for name, memory in whole.campaigns.items() if memory.journey is not None}
    nobodys = {purpose: said for purpose, said in whole.consents.items() if not _is_known(said, purpose, kept, other)}
    refusals = {purpose: said for purpose, said in nobodys.items() if not said.allowed}
    mine, theirs = {**kept, **refusals}, {**other, **refusals}
    stands = standing(mine)
    lost = sorted(purpose for purpose, allowed in whole.told.items() if allowed and purpose not in stands)
    told = {purpose: allowed for purpose, allowed in whole.told.items() if purpose not in lost}
    return (
        Journal(dict(mine), told, _memories(whole), list(whole.decided), whole.zone),
        Journal(dict(theirs), {}, _memories(whole), list(whole.decided), whole.zone),
        waiting,
        lost,
    )


def _is_known(said: Consent, purpose: str, kept: Said, other: Said) -> bool:
    """Say whether the log says whose the consent is."""
    return any(
        (one.effective_ts, one.message_id) >= (said.effective_ts, said.message_id)
        for one in (kept.get(purpose), other.get(purpose))
        if one is not None
    )


def _memories(whole: Journal) -> dict[str, Memory]:
    """Return what campaigns remember, but for journeys."""
    return {
        name: Memory(None, memory.entered, list(memory.decided), list(memory.watched), memory.held_out)
        for name, memory in whole.campaigns.items()
    }
