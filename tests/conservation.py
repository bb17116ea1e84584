"""Nothing vanishes: asked of every house at its end, whatever the test was about."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from livepost.log.base import LogReader
from livepost.log.sqlite import SqliteLogReader
from livepost.process.people import FATES
from livepost.state.base import StateStore
from livepost.state.sqlite import SqliteState

PUT_ASIDE = ("quarantined", "dead_lettered")


def vanished(fates: Mapping[str, int]) -> str:
    """Say what is wrong with the fates of all accepted events, "" if each has one.

    `fates` are those the engine counted, and beside them `accepted` and `in_flight`.
    """
    known = {fate: fates.get(fate, 0) for fate in (*FATES, "in_flight")}
    if fates["accepted"] == sum(known.values()):
        return ""
    return f"{fates['accepted']} events were accepted, but these are accounted for: {known}"


def vanished_between(log: LogReader, store: StateStore) -> str:
    """Say what is missing between a log and the state made of it, each counted from its own records."""
    loaded = store.loaded()
    counts = loaded.counts if loaded else {}
    position = loaded.position if loaded else -1
    aside = sum(counts.get(fate, 0) for fate in PUT_ASIDE)
    if store.dead_count() != aside:
        return f"{aside} events were put aside, and there are {store.dead_count()} dead letters"
    return vanished({**counts, "accepted": log.events(), "in_flight": log.events_after(position)})


def vanished_in(data: Path) -> str:
    """Say what is missing in a data folder that no process has open."""
    if not (data / "state.db").exists():
        return ""
    with closing(SqliteLogReader(data / "log")) as log, closing(SqliteState(data / "state.db")) as store:
        return vanished_between(log, store)
