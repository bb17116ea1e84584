"""The API's routes: its operations in one tuple, and their description."""

from __future__ import annotations

from importlib.metadata import version

from starlette.routing import Route

from livepost.api.deliveries import DELIVERIES
from livepost.api.house import House
from livepost.api.openapi import openapi_route
from livepost.api.operation import Operation, route_of
from livepost.api.people import PERSON, WHY
from livepost.api.segments import MEMBERS, SEGMENTS
from livepost.api.status import STATUS
from livepost.collect.token import Keys

OPERATIONS: tuple[Operation, ...] = (PERSON, WHY, SEGMENTS, MEMBERS, STATUS, DELIVERIES)


def api_routes(house: House, keys: Keys) -> list[Route]:
    """Return the routes, for a Starlette app; `keys` say who may ask."""
    operations = [route_of(operation, house, keys) for operation in OPERATIONS]
    return [*operations, openapi_route(OPERATIONS, version("livepost"))]
