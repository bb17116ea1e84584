"""Every way into a house over HTTP, filled with words: made of what the house says of itself, so a new route is in.

In: the API's own description, the table of routes that a front does not start without, the collector's paths. Out:
requests. Each route is asked as it is described, as far as a word fits there, and as it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from livepost.collect.app import BATCH, SINGLE, SNIPPET_PATH, SNOWPLOW, SNOWPLOW_PIXEL
from livepost.collect.pixel import PIXEL
from livepost.console.app import PAGES
from livepost.runtime.front.ruled import PUBLIC, WS, ruled

WRITE_KEY = "WRITE_KEY"
"""Stands for the house's own."""

LEAVES_LAST = ("/close", "/account")
"""Routes that may end the session in which the others are asked."""

KINDS = {"to": "address", "email": "address", "id": "user", "person": "user"}
"""Which word a parameter gets, if it fits."""

FIELDS_OF_FORMS = sorted({name for page in PAGES if page.form for name in page.form.told.__struct_fields__})


class Asked(NamedTuple):
    """One request; `route` is the template it is of."""

    route: str
    method: str
    path: str
    body: bytes = b""
    kind: str = ""


def described(document: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[Asked]:
    """Go through the API's operations, as they are described and as they are not."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for fits in (True, False):
                filling = Filling(document, words, fits)
                yield filling.request(path, method.upper(), operation)


def routed(words: Mapping[str, str]) -> Iterator[Asked]:
    """Go through every route of the front: API, console with its forms, links of mails, provider's hooks, ways in."""
    public = [(method, path, "") for path in PUBLIC for method in ("GET", "POST")]
    found = sorted({*ruled(), *public}, key=lambda one: (one[1] in LEAVES_LAST, one))
    for method, path, act in found:
        for word in words.values():
            there = re.sub(r"\{[^}]*\}", quote(word, safe=""), path)
            query = urlencode({"q": word, "id": word, "name": word, "person": word})
            if method != "POST":
                yield Asked(path, "GET", f"{there}?{query}", kind="websocket" if method == WS else "")
                yield Asked(path, "GET", there)
                continue
            form = {**dict.fromkeys(FIELDS_OF_FORMS, word), **({"act": act} if act else {})}
            yield Asked(path, "POST", there, urlencode(form).encode(), "application/x-www-form-urlencoded")
            yield Asked(path, "POST", there, json.dumps(form).encode(), "application/json")
            yield Asked(path, "POST", there, word.encode(), "text/plain")


def collected(words: Mapping[str, str]) -> Iterator[Asked]:
    """Go through the collector's paths: calls of every kind, batches, pixels, Snowplow's; in form and out of it."""
    for path in (*SINGLE, *BATCH, *PIXEL, SNOWPLOW, SNOWPLOW_PIXEL, SNIPPET_PATH):
        for word in words.values():
            call = {name: word for name in ("userId", "anonymousId", "event", "name", "previousId", "groupId")}
            told = {"traits": {"email": word, "firstName": word}, "properties": {word: word}, "context": {"ip": word}}
            pairs = {name: word for name in ("uid", "p", "e", "ue_pr", "cx", "tr_id", "url", "page", "refr", "data")}
            for body in (
                {**call, **told},
                {"batch": [{**call, **told, "type": "track"}, {**call, "type": word}, word]},
                {**call, "traits": word, "properties": word, "timestamp": word},
                {"schema": word, "data": [pairs]},
                word,
            ):
                yield Asked(path, "POST", path, json.dumps(body).encode(), "application/json")
            yield Asked(path, "POST", path, word.encode(), "application/json")
            for query in ({**call, **pairs}, {**call, "writeKey": WRITE_KEY}):
                yield Asked(path, "GET", f"{path}?{urlencode(query)}")


class Filling:
    """Fills an operation with words: those that fit, or all whether they fit or not."""

    def __init__(self, document: Mapping[str, Any], words: Mapping[str, str], fits: bool) -> None:
        self._document = document
        self._words = words
        self._fits = fits

    def request(self, path: str, method: str, operation: Mapping[str, Any]) -> Asked:
        query: dict[str, str] = {}
        there = path
        for one in operation.get("parameters", ()):
            value = str(self.value(one["schema"], one["name"]))
            if one["in"] == "path":
                there = there.replace(f"{{{one['name']}}}", quote(value, safe=""))
            elif one["in"] == "query":
                query[one["name"]] = value
        content = operation.get("requestBody", {}).get("content", {})
        body = b""
        for media in content.values():
            body = json.dumps(self.value(media["schema"], "")).encode()
        return Asked(path, method, f"{there}?{urlencode(query)}" if query else there, body, next(iter(content), ""))

    def value(self, schema: Mapping[str, Any], name: str) -> Any:
        """Return a value for a schema: a word wherever one fits, or wherever there is a leaf."""
        schema = self._meant(schema)
        if schema.get("type") == "object" or "properties" in schema:
            told = {key: self.value(one, key) for key, one in schema.get("properties", {}).items()}
            return told or dict(self._words)
        if schema.get("type") == "array":
            return [self.value(schema.get("items", {}), name)]
        if not self._fits:
            return self._words["text"]
        if "enum" in schema or "const" in schema:
            return schema.get("const", next(iter(schema.get("enum", ())), ""))
        if schema.get("type") in ("integer", "number"):
            return max(1, schema.get("minimum", 1))
        if schema.get("type") == "boolean":
            return True
        return self._word(schema, name)

    def _meant(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema or "anyOf" in schema:
            if "$ref" in schema:
                schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            else:
                schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        return schema

    def _word(self, schema: Mapping[str, Any], name: str) -> str:
        pattern = schema.get("pattern", "")
        fitting = [word for word in self._words.values() if re.search(pattern, word)]
        preferred = self._words.get(
            "address" if name in ("to", "email") else "user" if name in ("id", "person") else ""
        )
        if preferred in fitting:
            return str(preferred)
        return fitting[0] if fitting else "0" * 32
