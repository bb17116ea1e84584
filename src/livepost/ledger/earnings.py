"""What mails earn: clicks and orders as the log has them, and which click an order is put down to.

In: what stretches of the log say. Out: what campaigns earned. Promised: a stretch counts once, whoever brings it again;
an order counts once, by its own id; orders follow their person through merges and back, so that what was earned is a
function of what happened and of who is who now.
"""

from __future__ import annotations

from livepost.ledger import outcomes
from livepost.ledger.choices import name_of
from livepost.ledger.store import Store, decode_decision
from livepost.model.earning import Bought, Earned, Exposed, Hit, Measured, Order

MEASURED = "$measured"
"""The bookmark of the log's reader: the seq of the first record that was not measured yet."""


def measured(store: Store) -> int:
    """Return the seq up to which the log was measured; -1 at first."""
    found = store.read("SELECT number FROM bookmarks WHERE name = ?", (MEASURED,))
    return int(found[0][0]) - 1 if found else -1


def take(store: Store, told: Measured) -> None:
    """Take what a stretch of the log says, inside a transaction; one that was taken before changes nothing."""
    for hit in told.hits:
        _take_hit(store, hit)
    for order in told.orders:
        _take_order(store, order)
    store.change(
        "INSERT INTO bookmarks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number"
        " WHERE excluded.number > bookmarks.number",
        (MEASURED, told.upto + 1),
    )


_LAST_CLICKS = """WITH touched AS (
    SELECT c.campaign, c.broadcast, o.currency, o.amount, c.decision,
        row_number() OVER (PARTITION BY o.id ORDER BY c.at DESC, c.id DESC) AS place
    FROM clicks c JOIN deliveries d ON d.id = c.decision
    JOIN orders o ON o.person = d.person AND o.at >= c.at AND o.at < c.at + ?
)
SELECT campaign, broadcast, currency, count(*), count(DISTINCT decision), sum(amount) FROM touched WHERE place = 1
GROUP BY campaign, broadcast, currency ORDER BY campaign, broadcast, currency"""


def by_last_click(store: Store, within_ms: int) -> list[Earned]:
    """Return what each campaign, and each broadcast, earned: an order goes to the last click of its person in the time
    before it that is shorter than `within_ms`; of two in one millisecond to the one of the greater id.
    """
    return [_earned(*values) for values in store.read(_LAST_CLICKS, (within_ms,))]


_DRAWN = """WITH drawn AS (
    SELECT person, at, held FROM (
        SELECT person, at, held, row_number() OVER (PARTITION BY person ORDER BY at, held) AS place
        FROM (
            SELECT person, at, CASE WHEN reason = 'holdout' THEN 1 ELSE 0 END AS held FROM deliveries
            WHERE campaign = ? AND NOT (reason IN ('consent', 'topic') AND detail != '')
        ) AS decided
    ) AS placed WHERE place = 1 AND at >= (
        SELECT coalesce(min(at), 0) FROM deliveries WHERE campaign = ? AND state = 'skipped' AND reason = 'holdout'
    )
)"""
"""Who was drawn for a campaign or its holdout, and when first. Whom the engine left out before it drew (it says why in
`detail`) is in neither; whom a claim or a cap left out was drawn, and is one of the treated. Whom the campaign decided
on before it held anybody out was not drawn: with a holdout that came later they would all be treated.
"""

_PEOPLE = f"{_DRAWN} SELECT held, count(*) FROM drawn GROUP BY held"

_BOUGHT = f"""{_DRAWN} SELECT d.person, d.held, o.currency, count(*), sum(o.amount)
    FROM drawn d JOIN orders o ON o.person = d.person AND o.at >= d.at AND o.at < d.at + ?
    GROUP BY d.person, d.held, o.currency ORDER BY d.person, o.currency"""


def exposed(store: Store, campaign: str, within_ms: int) -> Exposed:
    """Return whom a campaign treated and held out, and what they bought in the time after it was drawn that is shorter
    than `within_ms`. Of a person who was merged of both the first draw counts.
    """
    people = dict(store.read(_PEOPLE, (campaign, campaign)))
    bought = [
        Bought(person=bytes(person), held_out=bool(held), currency=currency, orders=orders, amount=int(amount))
        for person, held, currency, orders, amount in store.read(_BOUGHT, (campaign, campaign, within_ms))
    ]
    return Exposed(treated=people.get(0, 0), held_out=people.get(1, 0), bought=bought)


def merge(store: Store, source: bytes, target: bytes) -> None:
    """Let a person's orders be another's, inside a transaction."""
    store.change("UPDATE orders SET person = ? WHERE person = ?", (target, source))


def part(store: Store, person: bytes, other: bytes, subjects: tuple[bytes, ...]) -> None:
    """Give the orders that came under some subjects to another person, inside a transaction."""
    for subject in subjects:
        store.change("UPDATE orders SET person = ? WHERE person = ? AND subject = ?", (other, person, subject))


def _earned(campaign: str, broadcast: bytes, currency: str, orders: int, mails: int, amount: int) -> Earned:
    told = int(amount)  # PostgreSQL sums whole numbers to a decimal one
    return Earned(
        campaign=campaign, broadcast=bytes(broadcast), currency=currency, orders=orders, mails=mails, amount=told
    )


def _take_hit(store: Store, hit: Hit) -> None:
    row = store.row(hit.decision)
    if row is None:
        return
    outcomes.note(store, hit.decision, hit.kind, hit.at)
    if hit.kind != "clicked":
        return
    cause = decode_decision(row.body).cause
    broadcast = cause if store.rows("SELECT 1 FROM broadcasts WHERE id = ?", (cause,)) else b""
    store.change(
        "INSERT INTO clicks VALUES (?,?,?,?,?) ON CONFLICT (id) DO NOTHING",
        (hit.id, hit.decision, row.campaign, broadcast, hit.at),
    )


def _take_order(store: Store, order: Order) -> None:
    columns = (order.id, order.event, order.subject, name_of(store, order.subject), order.at)
    # Without a target: the same order told twice, and another order under an id that an event has already.
    store.change(
        "INSERT INTO orders VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", (*columns, order.amount, order.currency)
    )
