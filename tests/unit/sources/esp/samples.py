"""An event of each provider as it tells it: of one mail, to one address, of a kind; and how hard it bounced."""

from __future__ import annotations

import json
from typing import Any

RECIPIENT = "ada@example.com"
AT_S = 1_699_999_000


def sample(provider: str, kind: str, decision: str, provider_id: str = "id-1", event_id: str = "e-1") -> Any:
    """Return what a provider tells; `kind` is ours: delivered, bounced, soft_bounced, complained, opened, clicked,
    unsubscribed. Raises KeyError for what it does not tell.
    """
    return _SAMPLES[provider](kind, decision, provider_id, event_id)


def _sendgrid(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    words = {"complained": "spamreport", "opened": "open", "clicked": "click", "unsubscribed": "unsubscribe"}
    words |= {"delivered": "delivered", "bounced": "bounce", "soft_bounced": "bounce"}
    also = {"bounced": {"type": "bounce"}, "soft_bounced": {"type": "blocked"}}.get(kind, {})
    event = {"email": RECIPIENT, "timestamp": AT_S, "event": words[kind], "sg_event_id": event_id, "decision": decision}
    return [{**event, "ip": "192.0.2.1", "useragent": "Mozilla/5.0", "url": "https://shop.example/a?b", **also}]


def _postmark(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    told: dict[str, Any] = {
        "delivered": {"RecordType": "Delivery", "DeliveredAt": "2023-11-14T21:56:40Z", "Recipient": RECIPIENT},
        "opened": {"RecordType": "Open", "ReceivedAt": "2023-11-14T21:56:40Z", "Recipient": RECIPIENT},
        "clicked": {"RecordType": "Click", "ReceivedAt": "2023-11-14T21:56:40Z", "Recipient": RECIPIENT},
        "bounced": {"RecordType": "Bounce", "Type": "HardBounce", "ID": 1},
        "soft_bounced": {"RecordType": "Bounce", "Type": "SoftBounce", "ID": 2},
        "complained": {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 3},
        "unsubscribed": {
            "RecordType": "SubscriptionChange",
            "ChangedAt": "2023-11-14T21:56:40Z",
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
            "Recipient": RECIPIENT,
        },
    }[kind]
    both = {"MessageID": provider_id, "Metadata": {"decision": decision}}
    return told | both | ({"Email": RECIPIENT, "BouncedAt": "2023-11-14T21:56:40Z"} if "ID" in told else {})


def _mailgun(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    words = {"bounced": "failed", "soft_bounced": "failed"}
    data: dict[str, Any] = {
        "event": words.get(kind, kind),
        "recipient": RECIPIENT,
        "timestamp": AT_S,
        "user-variables": {"decision": decision},
        "message": {"headers": {"message-id": provider_id}},
    }
    if kind in words:
        data |= {"severity": "permanent", "reason": "bounce" if kind == "bounced" else "old"}
    return {"signature": {"token": event_id}, "event-data": data}


def _ses(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    word = {"bounced": "Bounce", "soft_bounced": "Bounce", "complained": "Complaint", "delivered": "Delivery"}
    word |= {"opened": "Open", "clicked": "Click"}
    recipients = [{"emailAddress": RECIPIENT}]
    told: dict[str, Any] = {
        "Bounce": {
            "bounceType": "Permanent" if kind == "bounced" else "Transient",
            "bounceSubType": "General",
            "bouncedRecipients": recipients,
        },
        "Complaint": {"complainedRecipients": recipients},
        "Delivery": {"recipients": [RECIPIENT]},
        "Open": {"ipAddress": "192.0.2.1", "userAgent": "Mozilla/5.0"},
        "Click": {"link": "https://shop.example/a?b"},
    }[word[kind]]
    headers = [{"name": "X-Metadata", "value": json.dumps({"decision": decision})}] if decision else []
    mail = {"messageId": provider_id, "destination": [RECIPIENT], "headers": headers}
    return {"eventType": word[kind], "mail": mail, word[kind].lower(): told}


def _resend(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    also: dict[str, Any] = {
        "bounced": {"bounce": {"type": "Permanent", "message": "The mail's server sent a hard bounce message"}},
        "soft_bounced": {"bounce": {"type": "Transient", "message": "a bounce message because the inbox was full"}},
        "clicked": {"click": {"link": "https://shop.example", "ipAddress": "192.0.2.1", "userAgent": "x"}},
    }.get(kind, {})
    word = {"soft_bounced": "bounced"}.get(kind, kind)
    _only(word, "delivered", "bounced", "complained", "opened", "clicked")
    headers = [{"name": "X-Metadata", "value": json.dumps({"decision": decision})}]
    data = {"email_id": provider_id, "to": [RECIPIENT], "headers": headers, **also}
    return {"type": f"email.{word}", "created_at": "2023-11-14T21:56:40.000Z", "data": data}


def _brevo(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    word = {
        "delivered": "delivered",
        "bounced": "hard_bounce",
        "soft_bounced": "soft_bounce",
        "complained": "spam",
        "opened": "unique_opened",
        "clicked": "click",
        "unsubscribed": "unsubscribe",
    }[kind]
    told = {"event": word, "email": RECIPIENT, "ts_epoch": AT_S * 1_000, "message-id": provider_id}
    return told | {"X-Mailin-custom": json.dumps({"decision": decision})}


def _mailjet(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    word = {
        "delivered": "sent",
        "bounced": "bounce",
        "soft_bounced": "bounce",
        "complained": "spam",
        "opened": "open",
        "clicked": "click",
        "unsubscribed": "unsub",
    }[kind]
    also = {"hard_bounce": kind == "bounced", "error": "user unknown"} if word == "bounce" else {}
    told = {"event": word, "time": AT_S, "email": RECIPIENT, "MessageID": provider_id}
    return [told | also | {"Payload": json.dumps({"decision": decision})}]


def _sparkpost(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    word = {
        "delivered": "delivery",
        "bounced": "bounce",
        "soft_bounced": "bounce",
        "complained": "spam_complaint",
        "opened": "open",
        "clicked": "click",
        "unsubscribed": "list_unsubscribe",
    }[kind]
    also = {"bounce_class": "10" if kind == "bounced" else "22"} if word == "bounce" else {}
    event = {"type": word, "timestamp": str(AT_S), "transmission_id": provider_id, "event_id": event_id}
    return [{"msys": {"message_event": event | also | {"raw_rcpt_to": RECIPIENT, "rcpt_meta": {"decision": decision}}}}]


def _mandrill(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    word = {
        "delivered": "delivered",
        "bounced": "hard_bounce",
        "soft_bounced": "soft_bounce",
        "complained": "spam",
        "opened": "open",
        "clicked": "click",
        "unsubscribed": "unsub",
    }[kind]
    _only(kind, "bounced", "soft_bounced", "complained", "opened", "clicked", "unsubscribed")
    message = {"email": RECIPIENT, "metadata": {"decision": decision}}
    return [{"event": word, "ts": AT_S, "_id": provider_id, "msg": message}]


def _postal(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    message = {"id": provider_id, "tag": decision, "to": RECIPIENT}
    payload: dict[str, Any] = {
        "delivered": {"status": "Sent", "message": message},
        "soft_bounced": {"bounce": {"id": 7}, "original_message": message},
        "clicked": {"url": "https://shop.example", "message": message},
    }[kind]
    return {"event": "MessageX", "timestamp": AT_S, "uuid": event_id, "payload": payload}


def _mailersend(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    word = {"bounced": "hard_bounced", "complained": "spam_complaint"}.get(kind, kind)
    email = {"message": {"id": provider_id}, "recipient": {"email": RECIPIENT}, "tags": [decision]}
    data = {"id": event_id, "type": word, "created_at": "2023-11-14T21:56:40.000000Z", "email": email}
    return {"type": f"activity.{word}", "data": data}


def _mailtrap(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    word = {
        "delivered": "delivery",
        "bounced": "bounce",
        "complained": "spam",
        "opened": "open",
        "clicked": "click",
        "unsubscribed": "unsubscribe",
    }[kind]
    told = {"event": word, "timestamp": AT_S, "message_id": provider_id, "event_id": event_id, "email": RECIPIENT}
    return {"events": [told | {"custom_variables": {"decision": decision}}]}


def _unisender(kind: str, decision: str, provider_id: str, event_id: str) -> Any:
    word = {"bounced": "hard_bounced", "complained": "spam"}.get(kind, kind)
    _only(word, "delivered", "hard_bounced", "spam", "opened", "clicked", "unsubscribed")
    data = {"job_id": provider_id, "email": RECIPIENT, "status": word, "event_time": "2023-11-14 21:56:40"}
    event = {"event_name": "transactional_email_status", "event_data": data | {"metadata": {"decision": decision}}}
    return {"events_by_user": [{"user_id": 1, "events": [event]}]}


def _only(word: str, *words: str) -> None:
    if word not in words:
        raise KeyError(word)


_SAMPLES = {
    "brevo": _brevo,
    "mailersend": _mailersend,
    "mailgun": _mailgun,
    "mailjet": _mailjet,
    "mailtrap": _mailtrap,
    "mandrill": _mandrill,
    "postal": _postal,
    "postmark": _postmark,
    "resend": _resend,
    "sendgrid": _sendgrid,
    "ses": _ses,
    "sparkpost": _sparkpost,
    "unisender-go": _unisender,
}
PROVIDERS = tuple(_SAMPLES)
KINDS = ("delivered", "bounced", "soft_bounced", "complained", "opened", "clicked", "unsubscribed")
