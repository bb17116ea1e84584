"""`/openapi.json`: the API's operations as OpenAPI 3.1, made of the same structs that check and answer requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livepost.api.action import KEY, KEY_HEADER, MAX_KEY_CHARS, Action
from livepost.api.operation import JSON, Operation
from livepost.api.problem import MEDIA_TYPE, Problem
from livepost.govern.session import COOKIE

REFUSALS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "a parameter does not fit",
    HTTPStatus.UNAUTHORIZED: "no valid key",
    HTTPStatus.FORBIDDEN: "a write key, which may only send events, or a role or a key's scopes that do not allow it",
    HTTPStatus.METHOD_NOT_ALLOWED: "another method",
    HTTPStatus.SERVICE_UNAVAILABLE: "the engine or a store does not answer just now, or is not that far yet",
}
"""What any operation may refuse with."""

ACTION_REFUSALS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: f"no `{KEY_HEADER}`, or a body that does not fit",
    HTTPStatus.REQUEST_TIMEOUT: "the body did not arrive in time",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a body over its limit",
    HTTPStatus.TOO_MANY_REQUESTS: "there is no room just now",
}
"""What any action may refuse with besides; 400 in words of its own."""

KEYS: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]
"""Who may ask for anything: a secret key in one of two ways. To read, a session is enough."""

NEEDS = "x-livepost-needs"
"""Of an operation: what its role, and the scopes of its key, must allow."""

LICENSE = "Apache-2.0"

_REF = "#/components/schemas/{name}"


def openapi_route(operations: Sequence[Operation], actions: Sequence[Action], version: str) -> Route:
    """Return the route of the document, for a Starlette app."""
    document = msgspec.json.encode(openapi(operations, actions, version))

    async def endpoint(request: Request) -> Response:
        return Response(document, media_type=JSON)

    return Route("/openapi.json", endpoint, methods=["GET"])


def openapi(operations: Sequence[Operation], actions: Sequence[Action], version: str) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1.0)."""
    read = [type_ for one in operations for type_ in (one.asked, one.answers)]
    done = [type_ for one in actions for type_ in (one.wish, one.answers)]
    schemas, components = msgspec.json.schema_components([Problem, *read, *done], ref_template=_REF)
    problem, told = schemas[0], schemas[1:]
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for place, one in enumerate(operations):
        paths[one.path]["get"] = _operation(one, components, told[2 * place + 1], problem)
    for place, action in enumerate(actions, len(operations)):
        paths[action.path]["post"] = _action(action, told[2 * place], told[2 * place + 1], problem)
    asked = {one.asked.__name__ for one in operations}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Livepost",
            "version": version,
            "license": {"name": LICENSE, "identifier": LICENSE},
        },
        "paths": paths,
        "security": KEYS,
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in asked},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A secret key."},
                "basic": {"type": "http", "scheme": "basic", "description": "A secret key as the user."},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Of the console."},
            },
        },
    }


def _operation(
    operation: Operation, components: dict[str, Any], answer: dict[str, Any], problem: dict[str, Any]
) -> dict[str, Any]:
    refusals = REFUSALS | operation.refusals
    return {
        "security": [*KEYS, {"session": []}],
        NEEDS: operation.needs.scope,
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation, components[operation.asked.__name__]),
        "responses": {
            "200": {"description": "The answer.", "content": {JSON: {"schema": answer}}},
            **{str(int(status)): _refusal(why, problem) for status, why in sorted(refusals.items())},
        },
    }


def _action(action: Action, wish: dict[str, Any], answer: dict[str, Any], problem: dict[str, Any]) -> dict[str, Any]:
    refusals = REFUSALS | ACTION_REFUSALS | action.refusals
    key = {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS, "pattern": KEY}
    return {
        NEEDS: action.needs.scope,
        "operationId": action.name,
        "summary": action.summary,
        "parameters": [{"name": KEY_HEADER, "in": "header", "required": True, "schema": key}],
        "requestBody": {"required": True, "content": {JSON: {"schema": wish}}},
        "responses": {
            "200": {"description": "Done before with this key.", "content": {JSON: {"schema": answer}}},
            "202": {"description": "Done.", "content": {JSON: {"schema": answer}}},
            **{str(int(status)): _refusal(why, problem) for status, why in sorted(refusals.items())},
        },
    }


def _parameters(operation: Operation, asked: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = []
    for name, schema in asked["properties"].items():
        in_path = f"{{{name}}}" in operation.path
        parameters.append({"name": name, "in": "path" if in_path else "query", "required": in_path, "schema": schema})
    return parameters


def _refusal(why: str, problem: dict[str, Any]) -> dict[str, Any]:
    return {"description": f"Refused: {why}.", "content": {MEDIA_TYPE: {"schema": problem}}}
