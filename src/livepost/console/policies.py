"""What the project promises about data and whether it keeps it: each rule, purposes, fields, destinations."""

from __future__ import annotations

import msgspec

from livepost.console.house import House
from livepost.console.page import NothingAsked, Page
from livepost.govern.access.permission import Permission
from livepost.govern.policy.finding import Report
from livepost.govern.policy.records import Records


class PoliciesView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows: `records` is None where the project has no policy; `relaxed` is what the folder's page
    allows that the one in force does not.
    """

    report: Report
    records: Records | None
    relaxed: list[str]


def _policies(house: House, asked: NothingAsked) -> PoliciesView:
    report, records = house.policies()
    return PoliciesView(report=report, records=records, relaxed=house.relaxed())


POLICIES = Page(
    path="/policies",
    needs=Permission("read", "policies"),
    name="policies",
    title="Policies",
    asked=NothingAsked,
    show=_policies,
    sees=None,
    rail="system",
    live=False,
)
