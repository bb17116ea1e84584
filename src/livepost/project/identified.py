"""The built-in events of Segment's spec that are not `track`: identify, page and screen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from livepost.project.event import Event
from livepost.project.field import Personal


class Identified(Event, name="$identify"):
    """An `identify` call with Segment's reserved traits; subclass it to declare traits of your own."""

    email: Personal[str] | None = None
    name: Personal[str] | None = None
    first_name: Personal[str] | None = None
    last_name: Personal[str] | None = None
    phone: Personal[str] | None = None
    birthday: Personal[str] | None = None
    age: Personal[int] | None = None
    gender: Personal[str] | None = None
    address: Personal[dict[str, Any]] | None = None
    street: Personal[str] | None = None
    city: Personal[str] | None = None
    state: Personal[str] | None = None
    postal_code: Personal[str] | None = None
    country: Personal[str] | None = None
    username: Personal[str] | None = None
    title: Personal[str] | None = None
    description: Personal[str] | None = None
    avatar: Personal[str] | None = None
    website: Personal[str] | None = None
    company: Personal[dict[str, Any]] | None = None
    created_at: datetime | None = None


class PageViewed(Event, name="$page"):
    """A `page` call; the page's name and category are open, what its address says is personal."""

    name: str | None = None
    category: str | None = None
    path: Personal[str] | None = None
    url: Personal[str] | None = None
    title: Personal[str] | None = None
    referrer: Personal[str] | None = None
    search: Personal[str] | None = None
    keywords: Personal[list[str]] | None = None


class ScreenViewed(Event, name="$screen"):
    """A `screen` call of a mobile app."""

    name: str | None = None
    category: str | None = None
