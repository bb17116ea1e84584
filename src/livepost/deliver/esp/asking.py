"""How a provider is asked what became of a mail, by the decision's id that went along with it.

In: the id in hex. Out: requests to its API, and what the answers prove. Promised: a mail is found only where an answer
names this very decision; nothing found proves nothing, for providers list a mail seconds or minutes after they took it.

Sources: Postmark's "Messages API" (outbound search, `metadata_` fields), SendGrid's "Email Activity Feed API" (an
add-on of the account: without it the answer is 403, and the mail stays unknown).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from livepost.deliver.esp.answer import Answer

DECISION = "decision"
"""The name under which the decision's id went along."""


class Found(msgspec.Struct, frozen=True):
    """A mail that the provider has: its own id, and its own word for how it stands."""

    provider_id: str
    status: str


Ask = Callable[[str, dict[str, str]], Answer]
"""Asks for a path below the API's address, with parameters."""


class Question(msgspec.Struct, frozen=True):
    """How one provider is asked: the header that the key goes in, and what is asked."""

    header: str
    key: str
    find: Callable[[Ask, str], Found | None]


def _postmark(ask: Ask, decision: str) -> Found | None:
    told = ask("messages/outbound", {"count": "5", "offset": "0", f"metadata_{DECISION}": decision})
    for one in _listed(told, "Messages"):
        if _named(one.get("Metadata"), decision):
            return Found(str(one.get("MessageID", "")), str(one.get("Status", "")))
    return None


def _sendgrid(ask: Ask, decision: str) -> Found | None:
    """Look for the mail, then at it: the list does not say which decision it was found for."""
    told = ask("messages", {"limit": "5", "query": f"unique_args['{DECISION}']=\"{decision}\""})
    for one in _listed(told, "messages"):
        found = _json(ask(f"messages/{one.get('msg_id', '')}", {}))
        if _named(found.get("unique_args"), decision):
            return Found(str(found.get("msg_id", "")), str(found.get("status", "")))
    return None


QUESTIONS: dict[str, Question] = {
    "postmark": Question("X-Postmark-Server-Token", "{}", _postmark),
    "sendgrid": Question("Authorization", "Bearer {}", _sendgrid),
}
"""Providers that can be asked; of the others the events tell."""


def _listed(answer: Answer, name: str) -> Iterator[dict[str, Any]]:
    listed = _json(answer).get(name)
    yield from (one for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()


def _json(answer: Answer) -> dict[str, Any]:
    """Return an answer's object; an empty one for a refusal, or what is none."""
    try:
        found = msgspec.json.decode(answer.body) if answer.status == 200 else None
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(told: Any, decision: str) -> bool:
    return isinstance(told, dict) and told.get(DECISION) == decision
