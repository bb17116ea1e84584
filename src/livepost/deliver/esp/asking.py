"""How a provider is asked what became of a mail, by the decision's id that went along with it.

In: the id in hex. Out: requests to its API, and what the answers prove. Promised: a mail is found only where an answer
names this very decision; nothing found proves nothing, for providers list a mail seconds or minutes after they took it.

Sources: Postmark's "Messages API" (outbound search, `metadata_` fields), SendGrid's "Email Activity Feed API" (an
add-on of the account: without it the answer is 403, and the mail stays unknown), Mailjet's "Messages" (`GET
/v3/REST/message` by `CustomID`, which `ShowCustomID` has told again). Not asked, by their references: Mailgun's events
are found by its own message id, and SparkPost's by its transmission's; neither is known of a mail without an answer.
"""

from __future__ import annotations

from base64 import b64encode
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
    """How one provider is asked: its key's header, the key in it, what is asked, and below which part of the API's
    address: `at` is the version of the API of questions, where it is another than that of mails.
    """

    header: str
    key: str
    find: Callable[[Ask, str], Found | None]
    at: tuple[str, str] = ("", "")

    def base(self, api_url: str) -> str:
        """Return below which address is asked.

        >>> Question("", "", _mailjet, ("v3.1", "v3/REST")).base("https://api.mailjet.com/v3.1/")
        'https://api.mailjet.com/v3/REST'
        """
        mails, questions = self.at
        address = api_url.rstrip("/")
        return address.removesuffix(mails) + questions if mails and address.endswith(f"/{mails}") else address

    def header_value(self, secret: str, user: str) -> str:
        """Return the header that says who asks: with `Basic` the user and the key together, else the key alone."""
        if self.key == "Basic":
            return f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"
        return self.key.format(secret)


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


def _mailjet(ask: Ask, decision: str) -> Found | None:
    told = ask("message", {"CustomID": decision, "ShowCustomID": "true", "Limit": "5"})
    for one in _listed(told, "Data"):
        if one.get("CustomID") == decision:
            return Found(str(one.get("ID", "")), str(one.get("Status", "")))
    return None


QUESTIONS: dict[str, Question] = {
    "mailjet": Question("Authorization", "Basic", _mailjet, ("v3.1", "v3/REST")),
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
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(told: Any, decision: str) -> bool:
    return isinstance(told, dict) and told.get(DECISION) == decision
