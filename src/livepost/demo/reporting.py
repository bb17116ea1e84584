"""The report of a run, from the house's own stores: counts, latencies, and the mails held against SQL."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from email import message_from_bytes, policy

import msgspec

from livepost.clock import DAY_MS
from livepost.deliver.keep import KeptMail, each
from livepost.demo.expected import Mail, Run, compare
from livepost.demo.feed import Account
from livepost.demo.readers import CHANGED_FILE, changed_households
from livepost.demo.report import Feeding, Report
from livepost.demo.shoppers import household_of, is_household
from livepost.demo.tables import open_tables
from livepost.ledger.base import Ledger
from livepost.log.base import Position
from livepost.model.told import CourierStatus, Status
from livepost.ops.standing import conservation, quantiles
from livepost.runtime.data.folder import DataFolder


def report_of(folder: DataFolder, status: Status, account: Account, last: Position, seconds: float) -> Report:
    """Return the report of a drained run; `last` is the position up to which all is served, `seconds` real time.

    Mails decided after `last` are not in it: while the last ones are sent, time goes on and decides further ones.
    """
    with (
        closing(folder.log_reader()) as log,
        closing(folder.ledger()) as ledger,
        closing(folder.vault(readonly=True)) as vault,
    ):
        kept = each(folder.mailbox, vault, folder.settings.workspace)
        mails = [mail for found in kept if (mail := _mail(found, ledger)) and mail.at_ms <= last.stamp]
        courier = msgspec.json.decode(folder.courier_file().read_bytes(), type=CourierStatus)
        run = Run(account.start_ms, account.fed_through_ms, last.stamp, 0, account.orders)
        return Report(
            events_accepted=log.events_after(-1),
            conservation=conservation(status, log),
            people=status.people,
            transitions=status.transitions,
            mails=len(mails),
            mails_by_campaign=dict(Counter(mail.campaign for mail in mails)),
            freshness_ms=quantiles(status.freshness),
            event_to_mail_ms=quantiles(courier.event_to_mail),
            skipped=_skipped(ledger),
            speed=folder.speed,
            seconds=round(seconds, 1),
            days=round((last.stamp - account.start_ms) / DAY_MS, 1),
            feed=_feeding(account),
            oracle=compare(open_tables(), run, mails, changed_households(folder.path / CHANGED_FILE)),
        )


def _mail(kept: KeptMail, ledger: Ledger) -> Mail | None:
    """Return a kept mail as the tables know it: whom it went to stands in its own bytes.

    None for one to a visitor of the storefront, of whom the tables know nothing.
    """
    delivery = ledger.delivery(kept.decision)
    assert delivery is not None
    to = message_from_bytes(kept.raw, policy=policy.SMTP)["To"].addresses[0].addr_spec
    if not is_household(to):
        return None
    return Mail(delivery.decision.campaign, household_of(to), delivery.decision.at)


def _skipped(ledger: Ledger) -> dict[str, int]:
    skipped: Counter[str] = Counter()
    for tally in ledger.counts():
        if tally.state == "skipped":
            skipped[tally.reason] += tally.count
    return dict(skipped)


def _feeding(account: Account) -> Feeding:
    return Feeding(
        sent=account.sent,
        acknowledged=account.acknowledged,
        synthetic=account.synthetic,
        days=round((account.fed_through_ms - account.start_ms) / DAY_MS, 1),
        requests=account.requests,
        retries=account.retries,
        longest_lag_ms=round(account.longest_lag_ms, 1),
        cpu_s=round(account.cpu_s, 2),
    )
