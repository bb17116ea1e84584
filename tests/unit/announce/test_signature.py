"""What we sign is taken by those who wrote the specification."""

from __future__ import annotations

import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from livepost.announce.signature import new_secret, read_keys, signed
from livepost.errors import SettingsError

OLD, NEW = new_secret(b"o" * 32), new_secret(b"n" * 24)
BODY = '{"type":"receipt","data":{"detail":"Ünïcode \U0001f4e7"}}'.encode()


@pytest.mark.parametrize("secret", [OLD, NEW, new_secret(b"x" * 64)])
def test_the_official_library_takes_what_we_sign(secret: str) -> None:
    headers = signed("receipt_1", int(time.time()), BODY, read_keys("crm", secret))
    assert Webhook(secret).verify(BODY, headers)["type"] == "receipt"


def test_two_secrets_sign_while_one_takes_the_other_ones_place() -> None:
    headers = signed("receipt_1", int(time.time()), BODY, read_keys("crm", f"{NEW} {OLD}"))
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize("part", ["id", "at", "body", "key"])
def test_what_was_changed_on_the_way_is_not_taken(part: str) -> None:
    now = int(time.time())
    headers = signed("receipt_1", now, BODY, read_keys("crm", NEW if part == "key" else OLD))
    changed = {**headers, **({"webhook-id": "receipt_2"} if part == "id" else {})}
    changed |= {"webhook-timestamp": str(now - 1)} if part == "at" else {}
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(BODY + b" " if part == "body" else BODY, changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "whsec_",
        "whsec_!!!!",
        "whsec_c2hvcnQ=",
        new_secret(b"x" * 65),
        f"{OLD} hunter2",
        " ".join([OLD] * 5),
    ],
)
def test_what_is_no_secret_is_refused_and_not_told(text: str) -> None:
    with pytest.raises(SettingsError, match="secret of the webhook crm is none") as refused:
        read_keys("crm", text)
    assert "hunter2" not in str(refused.value)
