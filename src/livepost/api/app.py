"""The API's routes: its operations in one tuple, and their description."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from livepost.api.access import HasSession, Keys
from livepost.api.action import Action, action_route
from livepost.api.approvals import APPROVALS
from livepost.api.audit import AUDIT
from livepost.api.broadcasts import APPROVE, BROADCAST, BROADCASTS, Broadcasts
from livepost.api.campaigns import CAMPAIGN, CAMPAIGNS
from livepost.api.consents import SET_CONSENT
from livepost.api.deliveries import DELIVERIES
from livepost.api.feed import Feed
from livepost.api.house import House
from livepost.api.openapi import openapi_route
from livepost.api.operation import Operation, route_of
from livepost.api.people import CONSENTS, HELD, PERSON, WHY
from livepost.api.preview import PREVIEW
from livepost.api.providers import PROVIDERS
from livepost.api.receipts import RECEIPT, RECEIPTS
from livepost.api.requests import ENTER_REQUEST, REQUESTS
from livepost.api.segments import MEMBERS, SEGMENTS
from livepost.api.send import SEND, Sends
from livepost.api.status import STATUS
from livepost.api.stream import stream_route
from livepost.api.switch import KILL, KILLS
from livepost.api.trying import TEST_SEND
from livepost.api.verdicts import SAY
from livepost.audit.deed import Notary
from livepost.collect.body import BodyReader
from livepost.govern.access.rules import Rules
from livepost.model.principal import Principal
from livepost.ops.seen import seen_by

OPERATIONS: tuple[Operation, ...] = (
    PERSON,
    WHY,
    CONSENTS,
    HELD,
    SEGMENTS,
    MEMBERS,
    STATUS,
    DELIVERIES,
    PREVIEW,
    CAMPAIGNS,
    CAMPAIGN,
    BROADCASTS,
    KILLS,
    PROVIDERS,
    AUDIT,
    APPROVALS,
    REQUESTS,
    RECEIPTS,
    RECEIPT,
)
ACTIONS: tuple[Action, ...] = (SEND, TEST_SEND, BROADCAST, APPROVE, KILL, SAY, SET_CONSENT, ENTER_REQUEST)


def api_routes(
    house: House,
    keys: Keys,
    sends: Sends,
    broadcasts: Broadcasts,
    feed: Feed,
    has_session: HasSession,
    notary: Notary,
    rules: Rules,
) -> list[BaseRoute]:
    """Return the routes, for a Starlette app; `keys` say who may ask, `has_session` who may read without one; `notary`
    writes down who saw and changed what; `rules` decide who may.
    """

    def seen(who: Principal) -> House:
        return seen_by(house, rules.sight(who))

    doers: dict[str, Callable[[Principal], Any]] = {
        SEND.name: lambda who: sends,
        TEST_SEND.name: seen,
        BROADCAST.name: lambda who: broadcasts,
        APPROVE.name: lambda who: broadcasts,
        KILL.name: seen,
        SAY.name: seen,
        SET_CONSENT.name: seen,
        ENTER_REQUEST.name: seen,
    }
    operations = [route_of(operation, house, keys, has_session, notary, rules) for operation in OPERATIONS]
    bodies = BodyReader()
    actions = [action_route(action, doers[action.name], keys, bodies, notary, rules) for action in ACTIONS]
    described = openapi_route(OPERATIONS, ACTIONS, version("livepost"))
    return [*_by_path([*operations, *actions]), stream_route(feed, keys, notary, rules), described]


def _by_path(routes: Sequence[Route]) -> list[Route]:
    """Return a route a path, which takes all methods that the path has: else a refusal would name those of one."""
    paths: defaultdict[str, list[Route]] = defaultdict(list)
    for route in routes:
        paths[route.path].append(route)
    return [several[0] if len(several) == 1 else _together(several) for several in paths.values()]


def _together(routes: Sequence[Route]) -> Route:
    endpoints = {method: route.endpoint for route in routes for method in route.methods or ()}

    async def endpoint(request: Request) -> Response:
        answer: Response = await endpoints[request.method](request)
        return answer

    return Route(routes[0].path, endpoint, methods=list(endpoints), name=routes[0].name)
