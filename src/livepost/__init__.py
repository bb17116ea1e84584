"""Livepost: what a customer just did becomes what their next email says.

The words an author writes are here; each is loaded when it is first asked for, so that importing one module of the
house does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livepost.project import ecommerce
    from livepost.project.aggregation import (
        count,
        distinct,
        exists,
        first,
        latest,
        maximum,
        mean,
        minimum,
        recent,
        since,
        top,
        total,
    )
    from livepost.project.calendar import calendar_days, calendar_months, calendar_weeks
    from livepost.project.campaign import Cap, broadcast, campaign
    from livepost.project.choice import in_
    from livepost.project.duration import days, hours, minutes, seconds, weeks
    from livepost.project.email import Email
    from livepost.project.event import Event
    from livepost.project.facet import facet
    from livepost.project.field import Key, Personal
    from livepost.project.hours import Quiet
    from livepost.project.identified import Identified, PageViewed, ScreenViewed
    from livepost.project.money import Money
    from livepost.project.profile import Profile
    from livepost.project.segment import segment

__all__ = [
    "Cap",
    "Email",
    "Event",
    "Identified",
    "Key",
    "Money",
    "PageViewed",
    "Personal",
    "Profile",
    "Quiet",
    "ScreenViewed",
    "broadcast",
    "calendar_days",
    "calendar_months",
    "calendar_weeks",
    "campaign",
    "count",
    "days",
    "distinct",
    "ecommerce",
    "exists",
    "facet",
    "first",
    "hours",
    "in_",
    "latest",
    "maximum",
    "mean",
    "minimum",
    "minutes",
    "recent",
    "seconds",
    "segment",
    "since",
    "top",
    "total",
    "weeks",
]

_ROOMS = {
    "aggregation": (
        *("count", "distinct", "exists", "first", "latest", "maximum", "mean", "minimum"),
        *("recent", "since", "top", "total"),
    ),
    "calendar": ("calendar_days", "calendar_months", "calendar_weeks"),
    "campaign": ("Cap", "broadcast", "campaign"),
    "choice": ("in_",),
    "duration": ("days", "hours", "minutes", "seconds", "weeks"),
    "email": ("Email",),
    "event": ("Event",),
    "facet": ("facet",),
    "field": ("Key", "Personal"),
    "hours": ("Quiet",),
    "identified": ("Identified", "PageViewed", "ScreenViewed"),
    "money": ("Money",),
    "profile": ("Profile",),
    "segment": ("segment",),
}
_MODULE_OF = {word: module for module, words in _ROOMS.items() for word in words}


def __getattr__(name: str) -> Any:
    """Load a word of the language when it is first asked for (PEP 562)."""
    if name == "ecommerce":
        return import_module("livepost.project.ecommerce")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'livepost' has no attribute {name!r}")
    word = getattr(import_module(f"livepost.project.{_MODULE_OF[name]}"), name)
    globals()[name] = word
    return word


def __dir__() -> list[str]:
    """Return the words of the language beside what every module has."""
    return sorted({*globals(), *__all__})
