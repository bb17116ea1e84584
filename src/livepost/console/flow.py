"""The first page: does mail flow, how fresh is it, what needs a person."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from livepost.console.house import House
from livepost.console.page import NothingAsked, Page
from livepost.console.picture.bar import Part, bar
from livepost.console.picture.dots import dots
from livepost.console.picture.line import spark
from livepost.console.picture.ribbon import Stop, Tint, ribbon
from livepost.console.words import counted, number
from livepost.govern.access.permission import Permission
from livepost.model.standing import Pace, RoomPace
from livepost.model.told import Conservation, Standing

LEADS_TO = {
    "collect": "/system",
    "process": "/segments",
    "decide": "/campaigns",
    "deliver": "/mailbox",
    "measure": "/campaigns",
}

FATES = (
    ("processed", "processed", "signal"),
    ("duplicate", "duplicate", "sky"),
    ("filtered", "filtered", "soft"),
    ("quarantined", "quarantined", "amber"),
    ("dead_lettered", "dead-lettered", "red"),
    ("in_flight", "in flight", "soft"),
)
"""Where events end: the field of `Conservation`, what people call it, its colour."""

BEHIND_RECORDS = 5_000
"""Records behind which the engine counts as late: one step of it."""


class Need(msgspec.Struct, frozen=True):
    """Something a person should look at, and where."""

    text: str
    leads_to: str
    colour: str


class Room(msgspec.Struct, frozen=True):
    """A room's rate now and over the last minute."""

    name: str
    what: str
    rate: str
    spark: Markup


class FlowView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows."""

    verdict: str
    flows: bool
    needs: list[Need]
    pictures: list[Markup]
    strips: list[tuple[str, list[Markup]]]
    rooms: list[Room]
    bar: Markup
    parts: list[Part]
    standing: Standing
    lag_records: int


def _flow(house: House, asked: NothingAsked) -> FlowView:
    standing, pace = house.standing(), house.pace()
    stops = [_stop(room, standing, pace) for room in pace.rooms]
    parts = _parts(standing.conservation)
    needs = _needs(standing)
    return FlowView(
        verdict=_verdict(standing),
        flows=standing.trouble is None and standing.conservation.holds,
        needs=needs,
        pictures=[ribbon(stops), ribbon(stops, standing=True)],
        strips=[
            ("From an event's commit to what we know of the person", _strips(pace, "freshness")),
            ("From an event's commit to the mail accepted", _strips(pace, "event_to_mail")),
        ],
        rooms=[
            Room(one.room, one.what, _rate(one), spark(one.series, f"{one.what} a second over the last minute"))
            for one in pace.rooms
        ],
        bar=bar(parts, _equation(standing.conservation)),
        parts=parts,
        standing=standing,
        lag_records=pace.lag_records,
    )


def _verdict(standing: Standing) -> str:
    if standing.trouble is not None:
        return f"No events are taken just now: {standing.trouble}."
    if not standing.conservation.holds:
        return "Mail flows, but the events do not add up: some are missing, or counted twice."
    if standing.lag_records > BEHIND_RECORDS:
        return f"Mail flows, but the engine is {counted(standing.lag_records, 'record', 'records')} behind."
    if standing.conservation.accepted == 0:
        return "All runs, and waits for the first event."
    return "Mail flows, and every event is accounted for."


def _needs(standing: Standing) -> list[Need]:
    found = standing.conservation
    needs = []
    if not found.holds:
        needs.append(Need("The equation does not hold: events are missing, or counted twice", "#sum", "bad"))
    if found.dead_lettered:
        words = counted(found.dead_lettered, "dead letter", "dead letters")
        needs.append(Need(f"{words} so far; the page of dead letters tells which still wait", "/dead", "warn"))
    if found.quarantined:
        words = counted(found.quarantined, "event", "events")
        needs.append(Need(f"{words} in quarantine so far: the tracking plan did not declare them", "/dead", "warn"))
    return needs


def _stop(room: RoomPace, standing: Standing, pace: Pace) -> Stop:
    return Stop(
        name=room.room,
        per_s=room.per_s,
        rate=_rate(room),
        waiting="" if room.waiting is None else f"{number(room.waiting)} waiting",
        tint=_tint(room, standing),
        leads_to=LEADS_TO[room.room],
    )


def _rate(room: RoomPace) -> str:
    return f"{number(room.per_s)} {room.what}/s"


def _tint(room: RoomPace, standing: Standing) -> Tint:
    if room.room == "collect" and standing.trouble is not None:
        return "red"
    late = room.waiting is not None and room.waiting > max(BEHIND_RECORDS, room.per_s)
    return "amber" if late else "signal"


def _strips(pace: Pace, which: str) -> list[Markup]:
    counts, marked = getattr(pace, which), getattr(pace, f"{which}_ms")
    what = "freshness" if which == "freshness" else "event to mail"
    return [dots(counts, marked, what, 464, "wide"), dots(counts, marked, what, 310, "narrow")]


def _parts(found: Conservation) -> list[Part]:
    return [Part(words, getattr(found, field), colour) for field, words, colour in FATES]


def _equation(found: Conservation) -> str:
    told = " + ".join(f"{getattr(found, field):,} {words}" for field, words, _ in FATES)
    return f"{found.accepted:,} accepted = {told}"


FLOW = Page(
    path="/", needs=Permission("read", "house"), name="flow", title="Flow", asked=NothingAsked, show=_flow, sees=None
)
