"""Every vendor there is, by name; those whose requests are checked against a contract of theirs say so."""

from __future__ import annotations

from livepost.sync.vendor.base import Vendor
from livepost.sync.vendor.braze import Braze
from livepost.sync.vendor.customerio import CustomerIo
from livepost.sync.vendor.hubspot import HubSpot
from livepost.sync.vendor.iterable import Iterable
from livepost.sync.vendor.klaviyo import Klaviyo
from livepost.sync.vendor.mailchimp import Mailchimp
from livepost.sync.vendor.sendgrid import SendGrid

ALL: tuple[Vendor, ...] = (Braze(), CustomerIo(), HubSpot(), Iterable(), Klaviyo(), Mailchimp(), SendGrid())
VENDORS: dict[str, Vendor] = {one.name: one for one in ALL}
