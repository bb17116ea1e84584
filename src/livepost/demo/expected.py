"""The mails that must come out of the demo, computed by SQL from the package's tables: an oracle apart from the engine.

In: the tables, when the demo started, what was fed, the log's last stamp, and between which two moments each
order was stamped. Out: per household the mails of `welcome`, `win_back` and `favourites`, each with the span of
time in which it is decided.

The rules are those of `shop/shop.py`, read by docs/reference/semantics.md:

- welcome: an hour after the stamp of the first order, once.
- win_back: three weeks after an order, to the millisecond, if no later order has been stamped by then.
- favourites: at the stamp of an order of 60 dollars or more, if the last such mail was decided 30 days ago or more.
- all: only who allows marketing, which each household said before its first order.

Nothing there hangs on synthetic browsing. It hangs on an order's *stamp* in three places only: is it before a
three-week due time, is it 30 days after the last mail's, and did the demo end before the hour was over. Where the
span of a stamp covers such a boundary the household is set aside for that campaign (`open`) and counted, never
guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, TypeVar

import duckdb
import msgspec

from livepost.demo.feed import Sent

CAMPAIGNS = ("welcome", "win_back", "favourites")


class Run(NamedTuple):
    """What happened, on the demo's clock (UTC ms).

    start_ms         when the first basket happened
    fed_through_ms   baskets later than this were not sent
    as_of_ms         the log's last stamp: due times up to it were served
    lag_ms           the longest time from a basket to its stamp, for orders that `orders` does not tell
    orders           between which moments orders were stamped
    """

    start_ms: int
    fed_through_ms: int
    as_of_ms: int
    lag_ms: int = 0
    orders: Sequence[Sent] = ()


class Due(NamedTuple):
    """One mail that must come: decided between `earliest_ms` and `latest_ms`; `open` if it hangs on a boundary."""

    campaign: str
    household: int
    earliest_ms: int
    latest_ms: int
    open: bool


class Mail(NamedTuple):
    """One mail that came: `at_ms` is the time of its decision (UTC ms)."""

    campaign: str
    household: int
    at_ms: int


Row = TypeVar("Row", Due, Mail)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign's mails against the tables.

    mails        mails compared, all of households whose mails do not hang on a boundary
    households   households compared: all that ordered, but those in `open`
    open         households set aside: a boundary lies within a stamp's span, or the tables do not know all of them
    differing    households with another number of mails than expected, or one decided outside its span
    examples     some of the differing households
    """

    mails: int
    households: int
    open: int
    differing: int
    examples: list[int] = []

    @property
    def equal(self) -> bool:
        """Whether every household compared got exactly the mails it must."""
        return self.differing == 0


def expected_mails(tables: duckdb.DuckDBPyConnection, run: Run) -> list[Due]:
    """Return the mails that must have been decided by `run.as_of_ms`, ordered by (campaign, household, time)."""
    _lay_out_orders(tables, run)
    due: list[Due] = []
    for campaign, query in zip(CAMPAIGNS, (_WELCOME, _WIN_BACK, _FAVOURITES), strict=True):
        parameters = {"as_of": run.as_of_ms} if "$as_of" in query else {}
        rows = tables.execute(query, parameters).fetchall()
        due += [Due(campaign, *row) for row in rows]
    return due


def compare(
    tables: duckdb.DuckDBPyConnection, run: Run, mails: Iterable[Mail], changed: Collection[int] = ()
) -> dict[str, Comparison]:
    """Return, for each campaign, how the mails that came compare to those that must.

    Mails of other campaigns are ignored, and households that did what the tables do not know of (`changed`) set aside.
    A household's mails of a campaign agree if they are as many as expected and each, in order of time, was decided
    within its span.
    """
    expected = _by_household(expected_mails(tables, run))
    came = _by_household(mails)
    households = {row[0] for row in tables.execute("SELECT DISTINCT household FROM orders").fetchall()}
    return {campaign: _compare(expected[campaign], came[campaign], households, changed) for campaign in CAMPAIGNS}


def _compare(
    expected: dict[int, list[Due]], came: dict[int, list[Mail]], households: set[int], changed: Collection[int]
) -> Comparison:
    aside = {*changed} | {household for household, due in expected.items() if any(each.open for each in due)}
    strangers = set(came) - households
    compared = (households | strangers) - aside
    differing = sorted(each for each in compared if not _agree(expected.get(each, []), came.get(each, [])))
    return Comparison(
        mails=sum(len(came.get(each, [])) for each in compared),
        households=len(compared),
        open=len(aside),
        differing=len(differing),
        examples=differing[:EXAMPLES],
    )


EXAMPLES = 10


def _agree(due: list[Due], mails: list[Mail]) -> bool:
    if len(due) != len(mails):
        return False
    ordered = sorted(mails, key=lambda mail: mail.at_ms)
    return all(must.earliest_ms <= mail.at_ms <= must.latest_ms for must, mail in zip(due, ordered, strict=True))


def _by_household(rows: Iterable[Row]) -> dict[str, dict[int, list[Row]]]:
    found: dict[str, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.campaign][row.household].append(row)
    return found


def _lay_out_orders(tables: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Make the table `orders`: each fed basket with its time, its total and the span of its stamp."""
    told = [(order.basket, order.sent_ms, order.acknowledged_ms) for order in run.orders]
    columns = [list(column) for column in zip(*told, strict=True)] or [[], [], []]
    tables.execute(_TOLD, columns)
    tables.execute(_ORDERS, {"start": run.start_ms, "fed": run.fed_through_ms, "lag": run.lag_ms})


_TOLD = """
CREATE OR REPLACE TEMP TABLE told AS
SELECT unnest(CAST($1 AS BIGINT[])) AS basket,
       unnest(CAST($2 AS BIGINT[])) AS earliest, unnest(CAST($3 AS BIGINT[])) AS latest
"""

# Who allows marketing is the demo's own rule, written here a second time on purpose: four of five households.
_ORDERS = """
CREATE OR REPLACE TEMP TABLE orders AS
WITH basket AS (
    SELECT household_id AS household, basket_id AS basket,
           epoch_ms(min(transaction_timestamp))
             - (SELECT epoch_ms(min(transaction_timestamp)) FROM transactions) + $start AS placed,
           sum(CAST(round(sales_value * 100) AS BIGINT)) AS cents
    FROM transactions GROUP BY ALL
)
SELECT household, basket, placed, cents, household * 7919 % 1000 < 800 AS allows,
       coalesce(earliest, placed) AS earliest, coalesce(latest, placed + $lag) AS latest,
       row_number() OVER (PARTITION BY household ORDER BY placed, basket) AS ordinal
FROM basket LEFT JOIN told USING (basket)
WHERE placed <= $fed
"""

_WELCOME = """
SELECT household, earliest + 3600000, latest + 3600000, latest + 3600000 > $as_of
FROM orders WHERE ordinal = 1 AND allows AND earliest + 3600000 <= $as_of
ORDER BY ALL
"""

# A due time comes before a record of the same stamp: the mail goes if the next order is stamped at or after it.
_WIN_BACK = """
WITH silence AS (
    SELECT household, allows, placed + 21 * 86400000::BIGINT AS due,
           lead(earliest) OVER following AS next_earliest, lead(latest) OVER following AS next_latest
    FROM orders WINDOW following AS (PARTITION BY household ORDER BY ordinal)
)
SELECT household, due, due, coalesce(next_earliest < due, false)
FROM silence
WHERE allows AND due <= $as_of AND (next_latest IS NULL OR next_latest >= due)
ORDER BY ALL
"""

_FAVOURITES = """
WITH RECURSIVE large AS (
    SELECT household, earliest, latest, row_number() OVER (PARTITION BY household ORDER BY ordinal) AS nth
    FROM orders WHERE allows AND cents >= 6000
), mail AS (
    SELECT household, nth, earliest, latest, false AS open FROM large WHERE nth = 1
    UNION ALL
    SELECT following.household, following.nth, following.earliest, following.latest,
           following.earliest - mail.latest < 30 * 86400000::BIGINT AS open
    FROM mail, LATERAL (
        SELECT * FROM large
        WHERE large.household = mail.household AND large.nth > mail.nth
          AND large.latest - mail.earliest >= 30 * 86400000::BIGINT
        ORDER BY nth LIMIT 1
    ) AS following
)
SELECT household, earliest, latest, open FROM mail ORDER BY ALL
"""
