"""The journal of two people become one (FORMATS, merge rules): in any order the same.

Only `told` is not symmetric: what the outbox was told stands under the name that stays. Where both names told it
different things it is told again: the ledger has joined the two by what it knew, which may be less than we know.
"""

from __future__ import annotations

from livepost.model.choice import is_choice
from livepost.model.consent import is_signal
from livepost.model.journal import Consent, Journal, Journey, Memory, Zone, keep, standing


def join_journals(winner: Journal, loser: Journal) -> Journal:
    """Return what the one person's journal is; the winner's name stays. Of a choice the refusal counts, of a consent
    the later word.
    """
    consents = dict(winner.consents)
    for purpose, said in loser.consents.items():
        if is_signal(purpose):
            keep(consents, purpose, said)
        else:
            order = _stricter if is_choice(purpose) else _said
            consents[purpose] = max(said, consents.get(purpose, said), key=order)
    campaigns = dict(winner.campaigns)
    for name, memory in loser.campaigns.items():
        campaigns[name] = _join(memory, campaigns[name]) if name in campaigns else memory
    zones = [zone for zone in (winner.zone, loser.zone) if zone is not None]
    return Journal(
        consents,
        _still_told(winner, loser),
        campaigns,
        sorted([*winner.decided, *loser.decided]),
        max(zones, key=_shown, default=None),
    )


def _still_told(winner: Journal, loser: Journal) -> dict[str, bool]:
    """Return what the outbox was told of the winner, but for purposes of which the loser's name told it otherwise."""
    said = standing(loser.consents)
    return {
        purpose: allowed
        for purpose, allowed in winner.told.items()
        if purpose not in said or loser.told.get(purpose) is allowed
    }


def _join(a: Memory, b: Memory) -> Memory:
    held = [h for h in (a.held_out, b.held_out) if h is not None]
    entered = [e for e in (a.entered, b.entered) if e is not None]
    journeys = [j for j in (a.journey, b.journey) if j is not None]
    return Memory(
        journey=min(journeys, key=_first, default=None),
        entered=max(entered, default=None),
        decided=sorted([*a.decided, *b.decided]),
        watched=sorted([*a.watched, *b.watched], key=lambda w: (w.at, w.decision)),
        held_out=min(held, default=None),
    )


def _first(journey: Journey) -> tuple[int, bytes]:
    return journey.entered_at, journey.cause


def _said(consent: Consent) -> tuple[int, str, bool]:
    return consent.effective_ts, consent.message_id, consent.allowed


def _stricter(consent: Consent) -> tuple[bool, int, str]:
    return not consent.allowed, consent.effective_ts, consent.message_id


def _shown(zone: Zone) -> tuple[int, str, str]:
    return zone.effective_ts, zone.message_id, zone.name
