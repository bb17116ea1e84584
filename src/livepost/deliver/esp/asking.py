"""How a provider is asked what became of a mail, by the decision's id that went along with it.

In: the id in hex. Out: requests to its API, and what the answers prove. Promised: a mail is found only where an answer
names this very decision; nothing found proves nothing, for providers list a mail seconds or minutes after they took it.

Sources: Postmark's "Messages API" (outbound search, `metadata_` fields), SendGrid's "Email Activity Feed API" (an
add-on of the account: without it the answer is 403, and the mail stays unknown), Mailjet's "Messages" (`GET
/v3/REST/message` by `CustomID`, which `ShowCustomID` has told again), Mailgun's "Events" (`GET /v3/{domain}/events` by
`message-id`, the Message-ID that went along; `user-variables` tell the decision), Mailchimp Transactional's
"Messages" (`POST /messages/search` by metadata, which the account must have put into its search index). Not asked, by
their references: SparkPost's events are found by an address, a campaign or ids of its own, Brevo's and Resend's mails
by their own ids.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from livepost.deliver.esp.answer import Answer

DECISION = "decision"
"""The name under which the decision's id went along."""


class Found(msgspec.Struct, frozen=True):
    """A mail that the provider has: its own id, its own word for how it stands, and whether that word is a refusal of
    it: then it was given to nobody.
    """

    provider_id: str
    status: str
    refused: bool = False


class Sought(msgspec.Struct, frozen=True):
    """A mail that is looked for: its decision's id in hex, its Message-ID without brackets, and the domain under which
    the provider keeps it ("" where the settings name none).
    """

    decision: str
    message_id: str = ""
    domain: str = ""


Ask = Callable[[str, dict[str, str]], Answer]
"""Asks for a path below the API's address, with parameters."""


class Question(msgspec.Struct, frozen=True):
    """How one provider is asked: its key's header, the key in it, what is asked, and below which part of the API's
    address: `at` is the version of the API of questions, where it is another than that of mails. Without a header the
    key is a field `key` of what is posted. `user` logs in where the settings name nobody.
    """

    header: str
    key: str
    find: Callable[[Ask, Sought], Found | None]
    at: tuple[str, str] = ("", "")
    user: str = ""

    @property
    def is_posted(self) -> bool:
        """Whether parameters and key go as JSON in a POST, not in the address."""
        return not self.header

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
            return f"Basic {b64encode(f'{user or self.user}:{secret}'.encode()).decode()}"
        return self.key.format(secret)


def _postmark(ask: Ask, sought: Sought) -> Found | None:
    told = ask("messages/outbound", {"count": "5", "offset": "0", f"metadata_{DECISION}": sought.decision})
    for one in _listed(told, "Messages"):
        if _named(one.get("Metadata"), sought):
            return Found(str(one.get("MessageID", "")), str(one.get("Status", "")))
    return None


def _sendgrid(ask: Ask, sought: Sought) -> Found | None:
    """Look for the mail, then at it: the list does not say which decision it was found for."""
    told = ask("messages", {"limit": "5", "query": f"unique_args['{DECISION}']=\"{sought.decision}\""})
    for one in _listed(told, "messages"):
        found = _json(ask(f"messages/{one.get('msg_id', '')}", {}))
        if _named(found.get("unique_args"), sought):
            return Found(str(found.get("msg_id", "")), str(found.get("status", "")))
    return None


def _mailjet(ask: Ask, sought: Sought) -> Found | None:
    told = ask("message", {"CustomID": sought.decision, "ShowCustomID": "true", "Limit": "5"})
    for one in _listed(told, "Data"):
        if one.get("CustomID") == sought.decision:
            return Found(str(one.get("ID", "")), str(one.get("Status", "")))
    return None


def _mailgun(ask: Ask, sought: Sought) -> Found | None:
    """Look through the mail's events: any but a refusal says that it was taken, at this try or an earlier one."""
    if not sought.domain or not sought.message_id:
        return None
    told = ask(f"{sought.domain}/events", {"message-id": sought.message_id, "ascending": "no", "limit": "25"})
    return _taken_before_refused(
        _after_review(sought.message_id, one.get("event"))
        for one in _listed(told, "items")
        if _named(one.get("user-variables"), sought)
    )


def _mandrill(ask: Ask, sought: Sought) -> Found | None:
    told = ask("messages/search.json", {"query": f"u_{DECISION}:{sought.decision}"})
    return _taken_before_refused(
        _after_review(one.get("_id"), one.get("state"))
        for one in _objects(_decoded(told))
        if _named(one.get("metadata"), sought)
    )


def _after_review(provider_id: Any, status: Any) -> Found:
    """Return what a provider tells that looks at mails before it takes them, and calls those it refuses `rejected`."""
    return Found(str(provider_id or ""), str(status or ""), refused=status == "rejected")


def _taken_before_refused(found: Iterable[Found]) -> Found | None:
    """Return the first that is no refusal, else a refusal: a mail may have been taken at another try."""
    return min(found, key=lambda one: one.refused, default=None)


QUESTIONS: dict[str, Question] = {
    "mailgun": Question("Authorization", "Basic", _mailgun, user="api"),
    "mailjet": Question("Authorization", "Basic", _mailjet, ("v3.1", "v3/REST")),
    "mandrill": Question("", "", _mandrill),
    "postmark": Question("X-Postmark-Server-Token", "{}", _postmark),
    "sendgrid": Question("Authorization", "Bearer {}", _sendgrid),
}
"""Providers that can be asked; of the others the events tell."""


def _listed(answer: Answer, name: str) -> Iterator[dict[str, Any]]:
    yield from _objects(_json(answer).get(name))


def _objects(listed: Any) -> Iterator[dict[str, Any]]:
    yield from (one for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()


def _json(answer: Answer) -> dict[str, Any]:
    """Return an answer's object; an empty one for a refusal, or what is none."""
    found = _decoded(answer)
    return found if isinstance(found, dict) else {}


def _decoded(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        return None


def _named(told: Any, sought: Sought) -> bool:
    return isinstance(told, dict) and told.get(DECISION) == sought.decision
