"""Which records count (docs/reference/semantics.md): table `record` in, table `counted` (seq) out.

A record counts if its verdict lets it, it is not late, and its event id is not remembered. An id is remembered from
each acceptance for 30 days, so acceptances follow one another: a recursion over the few ids that come again later.
"""

from __future__ import annotations

import duckdb

from livepost.clock import DAY_MS
from livepost.model.record import Kind, Origin, Verdict

REMEMBERED_DAYS = 30
LATENESS_MS = 30 * DAY_MS

CANDIDATES = f"""
CREATE TABLE candidate AS
SELECT seq, event_low, event_high, stamp // {DAY_MS} AS day
FROM record
WHERE seq <= $position AND kind = {int(Kind.EVENT)} AND verdict = {int(Verdict.ACCEPTED)}
  AND NOT (origin = {int(Origin.LIVE)} AND stamp - effective > {LATENESS_MS})
"""

COUNTED = f"""
CREATE TABLE counted AS
WITH RECURSIVE accepted(event_low, event_high, seq, day) AS (
    SELECT event_low, event_high, min(seq), min(day) FROM candidate GROUP BY ALL
    UNION ALL
    SELECT again.event_low, again.event_high, min(again.seq), min(again.day)
    FROM accepted JOIN candidate AS again USING (event_low, event_high)
    WHERE again.day - accepted.day > {REMEMBERED_DAYS}
    GROUP BY ALL
)
SELECT seq FROM accepted
"""


def count_records(db: duckdb.DuckDBPyConnection, position: int) -> None:
    """Make the table `counted` of the records with seq <= `position` that are processed."""
    db.execute(CANDIDATES, {"position": position})
    db.execute(COUNTED)
    db.execute("DROP TABLE candidate")
