"""The word `facet`: an open value that intake computes from a sealed one, asked for like a field of its event."""

from __future__ import annotations

from typing import cast

from livepost.errors import ProjectError
from livepost.model.facet import OF_ANY_EVENT, OF_IDENTIFY
from livepost.project.event import Event, event_name
from livepost.project.field import Field
from livepost.project.metaclass import EventMeta
from livepost.project.place import authors_line


class Facet(Field):
    """A facet of an event, as it reads in conditions and aggregations: open text."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """`facet(Identified, 'email.domain')`."""
        return f"facet({self.event.__name__}, {self.name!r})"


def facet(event: type[Event], name: str) -> str:
    """A facet of an event by its name: `email.domain` and `birthday.month_day` of an identify, `context.zone` and
    `context.locale` of any event. It is used like a field of text, and like one it is that text to checkers.
    """
    if not isinstance(event, EventMeta):
        raise ProjectError(
            f"expected facet() of an event class such as Identified, got {event!r}; name the class itself",
            authors_line(),
        )
    known = (*OF_IDENTIFY, *OF_ANY_EVENT) if event_name(event) == "$identify" else OF_ANY_EVENT
    if name not in known:
        raise ProjectError(
            f"expected a facet of {event.__name__} ({', '.join(known)}), got {name!r}; "
            f"only Identified has {' and '.join(OF_IDENTIFY)}",
            authors_line(),
        )
    return cast("str", Facet(event, name))
