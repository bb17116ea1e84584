"""When a campaign's mails are due: after a wait, at a time of day, in the zone of the person's clocks."""

from __future__ import annotations

from livepost.model.compiled import CampaignSpec
from livepost.model.hours import time_after
from livepost.model.journal import Journal


def asks_for_zone(spec: CampaignSpec) -> bool:
    """Say whether it matters to a campaign what people's clocks show."""
    return spec.quiet is not None or spec.at is not None or any(step.at is not None for step in spec.steps)


def zone_of(spec: CampaignSpec, book: Journal) -> str:
    """Return the zone that a person's clocks showed last, the campaign's where none is known."""
    return spec.zone if book.zone is None else book.zone.name


def due_of(spec: CampaignSpec, zone: str, step: int, since: int) -> int:
    """Return when a step is due whose wait begins at a moment (ms): the end of the wait, or the first moment from then
    on at which clocks show the time of day that it waits for.
    """
    wait_ms, at = (spec.wait_ms, spec.at) if step == 0 else (spec.steps[step - 1].wait_ms, spec.steps[step - 1].at)
    waited = since + wait_ms
    return waited if at is None else time_after(at, zone, waited - 1)
