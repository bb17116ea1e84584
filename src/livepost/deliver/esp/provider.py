"""What differs from provider to provider, as one table (docs/how-to/send-through-a-provider.md tells it to people).

Sources: the providers' API references, django-anymail 15.2's backends, and the contracts that tests/real checks.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from livepost.model.message import ReceiptState

Mark: TypeAlias = Literal["metadata", "recipient", "tag"]
"""Where the decision's id travels, so that the provider's events can be matched: the mail's metadata, the recipient's
(SendGrid's contract has it there), or a tag where there is no metadata.
"""

Once: TypeAlias = Literal["", "header", "mail header", "body"]
"""How a provider is told the idempotency key, if it takes one: an HTTP header, one of the mail's headers, a field."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider. `backend` is anymail's module, `credential` its word for the key, `named` for our options.

    `regions` are base addresses of the API; `extra` are headers that only this provider reads; `codes` say what the
    refusals it names mean, where the status alone does not. `says_failed`: the recipient's status `failed` is its own
    word; of others anymail says so when it only misses an id.
    """

    name: str
    backend: str
    credential: str = "api_key"
    named: dict[str, str] = {}
    regions: dict[str, str] = {}
    mark: Mark = "metadata"
    switches_tracking: bool = True
    once: Once = ""
    extra: dict[str, str] = {}
    says_failed: bool = False
    codes: dict[str, ReceiptState] = {}
    contract_checked: bool = False


PROVIDERS: tuple[Provider, ...] = (
    Provider(
        name="brevo",
        backend="brevo",
        switches_tracking=False,
        once="mail header",
        codes={
            "not_enough_credits": "temporary",
            "account_under_validation": "temporary",
            "permission_denied": "temporary",
            "unauthorized": "temporary",
            "duplicate_parameter": "unknown",  # the key was used: perhaps by the try that nobody knows of
            "duplicate_request": "unknown",
        },
    ),
    Provider(name="mailersend", backend="mailersend", credential="api_token", mark="tag"),
    Provider(
        name="mailgun",
        backend="mailgun",
        named={"domain": "sender_domain"},
        regions={"us": "https://api.mailgun.net/v3/", "eu": "https://api.eu.mailgun.net/v3/"},
    ),
    Provider(name="mailjet", backend="mailjet", credential="secret_key", named={"user": "api_key"}),
    Provider(
        name="mailtrap",
        backend="mailtrap",
        credential="api_token",
        named={"sandbox": "sandbox_id"},
        switches_tracking=False,
    ),
    Provider(
        name="mandrill",
        backend="mandrill",
        codes={  # its refusals come with status 500
            "ValidationError": "failed",
            "Invalid_Key": "temporary",
            "PaymentRequired": "temporary",
            "Unknown_Subaccount": "temporary",
        },
    ),
    Provider(
        name="postal",
        backend="postal",
        mark="tag",
        switches_tracking=False,
        codes={  # its refusals come with status 200
            "ValidationError": "failed",
            "NoRecipients": "failed",
            "NoContent": "failed",
            "FromAddressMissing": "temporary",
            "UnauthenticatedFromAddress": "temporary",
            "InvalidServerAPIKey": "temporary",
            "AccessDenied": "temporary",
            "ServerSuspended": "temporary",
        },
    ),
    Provider(
        name="postmark",
        backend="postmark",
        credential="server_token",
        named={"stream": "message_stream"},
        extra={"X-PM-KeepID": "true"},
        codes={  # its 422 speaks of us as well as of the mail
            "10": "temporary",  # token
            "100": "temporary",  # maintenance
            "400": "temporary",  # sender signature: not there
            "401": "temporary",  # sender signature: not confirmed
            "405": "temporary",  # credits
            "412": "temporary",  # account pending
            "413": "temporary",  # account may not send
            "1235": "temporary",  # message stream: not there
        },
        contract_checked=True,
    ),
    Provider(
        name="resend",
        backend="resend",
        switches_tracking=False,
        once="header",
        codes={"invalid_idempotent_request": "unknown", "concurrent_idempotent_requests": "unknown"},
    ),
    Provider(
        name="scaleway",
        backend="scaleway",
        credential="secret_key",
        named={"project": "project_id", "region": "region"},
        switches_tracking=False,
        says_failed=True,
    ),
    Provider(
        name="sendgrid",
        backend="sendgrid",
        regions={"global": "https://api.sendgrid.com/v3/", "eu": "https://api.eu.sendgrid.com/v3/"},
        mark="recipient",
        contract_checked=True,
    ),
    Provider(
        name="ses",
        backend="amazon_ses",
        switches_tracking=False,
        codes={  # its 400 speaks of us as well as of the mail
            "MailFromDomainNotVerifiedException": "temporary",
            "AccountSuspendedException": "temporary",
            "SendingPausedException": "temporary",
            "LimitExceededException": "temporary",
            "ThrottlingException": "temporary",
            "ExpiredTokenException": "temporary",
        },
        contract_checked=True,
    ),
    Provider(
        name="sparkpost",
        backend="sparkpost",
        named={"subaccount": "subaccount"},
        regions={"us": "https://api.sparkpost.com/api/v1/", "eu": "https://api.eu.sparkpost.com/api/v1/"},
    ),
    Provider(name="unisender-go", backend="unisender_go", once="body", says_failed=True),
)


def provider_of(name: str) -> Provider:
    """Return the provider's row; every name that the settings know has one."""
    return next(provider for provider in PROVIDERS if provider.name == name)
