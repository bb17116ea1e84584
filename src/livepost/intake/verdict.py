"""The verdict: a call and the tracking plan in, what becomes of it out; nothing is written here.

CHECKS hold for every call and come first, in their order; then the plan. The reason is one sentence without
any value. Most calls are plain ones, of which one look tells that they pass all checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from livepost.intake.call import CALL_TYPES, BrokenCall, Call
from livepost.intake.context import CONSENT_EVENT
from livepost.intake.erased import ERASED, ErasedCall
from livepost.intake.plan import BrokenPlanError, Reading, TrackingPlan, read_plain
from livepost.model.record import Verdict

MAX_ID_CHARS = 255
MAX_MESSAGE_ID_CHARS = 255
MAX_EVENT_NAME_CHARS = 255
SHORTEST_BOUND = min(MAX_ID_CHARS, MAX_MESSAGE_ID_CHARS)
"""Up to it no id needs a closer look."""

Check: TypeAlias = Callable[[Call], str]

_BAD_TIMESTAMP = "expected `timestamp` to be an ISO 8601 date-time such as 2026-11-21T21:31:39.264Z, got other text"


class Judgement(msgspec.Struct):
    """What becomes of a call: its record's name, the verdict, the reason if it is not accepted, its values if
    it is.
    """

    name: str
    verdict: Verdict = Verdict.ACCEPTED
    reason: str = ""
    reading: Reading | None = None


def judge(call: Call, timestamp: int | None, plan: TrackingPlan, *, by_key: bool = False) -> Judgement:
    """Return the verdict on a call; `timestamp` (ms) is its own as it was read, None if it has none or no readable.

    `by_key` says that a declared key names whom it is about, which then need no other id.
    """
    if type(call) is ErasedCall:
        return Judgement(_safe_name(call), Verdict.FILTERED, ERASED)
    if is_plain(call) and (timestamp is not None or call.timestamp is None):
        return _by_plan(call.event or "", call.properties or {}, plan)
    reason = _first_fault(call, by_key)
    if not reason and timestamp is None and call.timestamp is not None:
        reason = _BAD_TIMESTAMP
    if reason:
        return Judgement(_safe_name(call), Verdict.DEAD, reason)
    return _by_plan(record_name(call), values_told(call), plan)


def judge_plain(call: Call, timestamp: int | None, plan: TrackingPlan) -> Judgement | None:
    """Return what `judge` returns, in fewer steps, of what most of a batch is: a track call in good form with a userId,
    of a declared event with plain fields. None says nothing of a call.
    """
    event, user, anonymous = call.event or "", call.user_id, call.anonymous_id
    fields = plan.plain.get(event)
    if (
        fields is None
        or call.type != "track"
        or type(call) is not Call
        or len(event) > MAX_EVENT_NAME_CHARS
        or type(user) is not str
        or not 0 < len(user) <= SHORTEST_BOUND
        or (anonymous is not None and (type(anonymous) is not str or len(anonymous) > SHORTEST_BOUND))
        or (timestamp is None and call.timestamp is not None)
        or call.previous_id is not None
        or len(call.message_id or "") > SHORTEST_BOUND
    ):
        return None
    reading = read_plain(call.properties or {}, fields)
    return None if reading is None else Judgement(event, Verdict.ACCEPTED, "", reading)


def is_plain(call: Call) -> bool:
    """Say of a track call in good form that it passes all CHECKS; of any other call it says nothing by False."""
    if call.type != "track" or type(call) is not Call:
        return False
    event, user, anonymous = call.event, call.user_id, call.anonymous_id
    return (
        event is not None
        and 0 < len(event) <= MAX_EVENT_NAME_CHARS
        and event[0] != "$"
        and (user or anonymous or "") != ""
        and (user is None or (type(user) is str and len(user) <= SHORTEST_BOUND))
        and (anonymous is None or (type(anonymous) is str and len(anonymous) <= SHORTEST_BOUND))
        and call.previous_id is None
        and len(call.message_id or "") <= SHORTEST_BOUND
    )


def record_name(call: Call) -> str:
    """Return the name of a call's record: a track event's own, else `$` and the type."""
    return (call.event or "") if call.type == "track" else f"${call.type}"


def values_told(call: Call) -> dict[str, Any]:
    """Return what a call tells: properties or traits, with what Segment puts beside them."""
    if call.type == "track":
        return call.properties or {}
    if call.type in ("identify", "group"):
        beside = {"groupId": call.group_id} if call.type == "group" else {}
        return {**beside, **(call.traits or {})}
    if call.type in ("page", "screen"):
        beside = {"name": call.name, "category": call.category}
        return {**{key: value for key, value in beside.items() if value}, **(call.properties or {})}
    return call.properties or {}


def _first_fault(call: Call, by_key: bool) -> str:
    checks = CHECKS if not by_key else tuple(check for check in CHECKS if check is not _somebody)
    return next(filter(None, (check(call) for check in checks)), "")


def _by_plan(name: str, told: dict[str, Any], plan: TrackingPlan) -> Judgement:
    event = plan.event(name)
    if event is None:
        return _undeclared(name, told, plan)
    try:
        return Judgement(name, reading=event.read(told))
    except BrokenPlanError as error:
        return Judgement(name, Verdict.DEAD, str(error))


def _undeclared(name: str, told: dict[str, Any], plan: TrackingPlan) -> Judgement:
    """Judge an event that nobody declared; the protocol's own calls (`$page`), and what a person says about consent,
    always pass: a refusal must not wait in quarantine.
    """
    always_passes = name.startswith("$") or name == CONSENT_EVENT
    if plan.undeclared == "quarantine" and not always_passes:
        return Judgement(
            name,
            Verdict.QUARANTINED,
            "the tracking plan does not declare this event; declare it and replay it, or allow all events",
        )
    if plan.undeclared == "block" and not always_passes:
        return Judgement(name, Verdict.FILTERED, "the tracking plan blocks events that it does not declare")
    return Judgement(name, reading=Reading({}, {}, told))


def _safe_name(call: Call) -> str:
    """Return the name of a dead letter's record: one that could not be told from ours, or is too long, is
    left out.
    """
    if call.type not in CALL_TYPES or (call.type == "track" and _event_name(call)):
        return ""
    return record_name(call)


def _whole(call: Call) -> str:
    return call.fault if isinstance(call, BrokenCall) else ""


def _type(call: Call) -> str:
    if call.type in CALL_TYPES:
        return ""
    return f"expected `type` to be one of {', '.join(CALL_TYPES)}, got something else"


def _needs(call: Call) -> str:
    """What each type needs besides an id."""
    if call.type == "track" and call.event:
        return ""
    if call.type == "track" and not call.event:
        return "expected `event` in a track call, got none; name what happened"
    if call.type == "group" and call.group_id in (None, ""):
        return "expected `groupId` in a group call, got none"
    if call.type == "alias" and (call.previous_id in (None, "") or call.user_id in (None, "")):
        return "expected `previousId` and `userId` in an alias call, got one or none of them"
    return ""


def _event_name(call: Call) -> str:
    """A track event's name is of bounded length, and cannot pass for an identify or another call of the protocol."""
    event = call.event
    if call.type != "track" or event is None:
        return ""
    if len(event) > MAX_EVENT_NAME_CHARS:
        return f"expected an event name of at most {MAX_EVENT_NAME_CHARS} characters, got {len(event)}"
    if event.startswith("$"):
        return "expected an event name that does not start with `$`, which is kept for Livepost's own"
    return ""


def _id_lengths(call: Call) -> str:
    for value in (call.user_id, call.anonymous_id, call.previous_id, call.message_id):
        if isinstance(value, str) and len(value) > SHORTEST_BOUND:
            return _too_long(call)
    return ""


def _too_long(call: Call) -> str:
    for key, value, bound in (
        ("userId", call.user_id, MAX_ID_CHARS),
        ("anonymousId", call.anonymous_id, MAX_ID_CHARS),
        ("previousId", call.previous_id, MAX_ID_CHARS),
        ("messageId", call.message_id, MAX_MESSAGE_ID_CHARS),
    ):
        if isinstance(value, str) and len(value) > bound:
            return f"expected `{key}` to have at most {bound} characters, got {len(value)}"
    return ""


def _somebody(call: Call) -> str:
    if call.user_id in (None, "") and call.anonymous_id in (None, ""):
        return "expected a `userId` or an `anonymousId`, got neither; say whom the event is about"
    return ""


CHECKS: tuple[Check, ...] = (
    _whole,
    _type,
    _somebody,
    _id_lengths,
    _needs,
    _event_name,
)
"""What every call must keep to, whatever the plan says; the first that fails gives the reason."""
