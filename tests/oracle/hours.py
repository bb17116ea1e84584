"""Quiet hours and times of day, found by looking at a clock minute by minute: docs/reference/semantics.md, "Hours".

Offsets of zones are whole minutes in the years that tests are in; so all that clocks do, they do at a whole minute.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from livepost.model.compiled import CampaignSpec

MINUTE = timedelta(minutes=1)


def asks_for_zones(campaign: CampaignSpec) -> bool:
    """Say whether a campaign has quiet hours or a time of day."""
    return campaign.quiet is not None or campaign.at is not None or any(step.at is not None for step in campaign.steps)


def is_quiet(campaign: CampaignSpec, zone: str, at: int) -> bool:
    """Say whether clocks show a quiet hour."""
    if campaign.quiet is None:
        return False
    start, end = campaign.quiet.start, campaign.quiet.end
    minutes = range(start, end) if start < end else (*range(start, 24 * 60), *range(end))
    shown = datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(zone))
    return shown.hour * 60 + shown.minute in minutes


@lru_cache(100_000)
def comes_after(minute: int, zone: str, at: int) -> int:
    """Return the first moment after `at` (ms) at which clocks come to show a minute of the day, or jump past it."""
    clock = ZoneInfo(zone)
    moment = datetime.fromtimestamp(at // 60_000 * 60, UTC)
    while True:
        before, moment = moment.astimezone(clock).replace(tzinfo=None), moment + MINUTE
        now = moment.astimezone(clock).replace(tzinfo=None)
        passed = [before + number * MINUTE for number in range(1, (now - before) // MINUTE)]
        if any(each.hour * 60 + each.minute == minute for each in (*passed, now)):
            return int(moment.timestamp()) * 1000


def due(campaign: CampaignSpec, zone: str, step: int, since: int) -> int:
    """Return when a step is due whose wait begins at a moment."""
    spec = campaign if step == 0 else campaign.steps[step - 1]
    end = since + spec.wait_ms
    return end if spec.at is None else comes_after(spec.at, zone, end - 1)
