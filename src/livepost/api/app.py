"""The API's routes: its operations in one tuple, and their description."""

from __future__ import annotations

from importlib.metadata import version

from starlette.routing import BaseRoute

from livepost.api.access import HasSession
from livepost.api.action import Action, action_route
from livepost.api.deliveries import DELIVERIES
from livepost.api.feed import Feed
from livepost.api.house import House
from livepost.api.openapi import openapi_route
from livepost.api.operation import Operation, route_of
from livepost.api.people import CONSENTS, PERSON, WHY
from livepost.api.preview import PREVIEW
from livepost.api.segments import MEMBERS, SEGMENTS
from livepost.api.send import SEND, Sends
from livepost.api.status import STATUS
from livepost.api.stream import stream_route
from livepost.collect.body import BodyReader
from livepost.collect.token import Keys

OPERATIONS: tuple[Operation, ...] = (PERSON, WHY, CONSENTS, SEGMENTS, MEMBERS, STATUS, DELIVERIES, PREVIEW)
ACTIONS: tuple[Action, ...] = (SEND,)


def api_routes(house: House, keys: Keys, sends: Sends, feed: Feed, has_session: HasSession) -> list[BaseRoute]:
    """Return the routes, for a Starlette app; `keys` say who may ask, `has_session` who may read without one."""
    operations = [route_of(operation, house, keys, has_session) for operation in OPERATIONS]
    bodies = BodyReader()
    actions = [action_route(action, sends, keys, bodies) for action in ACTIONS]
    return [*operations, *actions, stream_route(feed, keys), openapi_route(OPERATIONS, ACTIONS, version("livepost"))]
