"""Rules about how a project is kept: hashes, keys, pipelines, secrets, records."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from livepost.govern.policy.code import plain_hashes
from livepost.govern.policy.finding import Found
from livepost.govern.policy.given import Given
from livepost.govern.policy.records import FILE_NAME, records_of, written
from livepost.model.principal import SEND_EVENTS
from livepost.model.record import HOUSE

HASHED = re.compile(r"\b(?:md5|sha-?\d{1,3}|hash(?:ed)?)\b", re.I)

WRITE_SCOPES = frozenset((SEND_EVENTS,))
"""What a key that is public may be for: to add events."""

SECRETS = (
    ("a key of AWS", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a token of GitHub", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{40,}")),
    ("a key of Stripe", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b")),
    ("a token of Slack", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("a key of SendGrid", re.compile(r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}")),
    ("a key of Google", re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b")),
    ("a secret of a webhook", re.compile(r"\bwhsec_[A-Za-z0-9+/=]{24,}")),
    ("a secret key of Livepost", re.compile(r"\blp_secret_[A-Za-z0-9_-]{24,}")),
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    ("a JSON Web Token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")),
    ("a password in a URL", re.compile(r"\b[a-z][a-z0-9+]{2,15}://[^\s/:@'\"{}]+:[^\s/@'\"{}$]{3,}@", re.I)),
)
ASSIGNED = re.compile(
    r"(?:password|passwd|secret|token|api_?key|private_?key)\w*[\"']?\s*[:=]\s*[\"']([^\"'\s]{12,})[\"']", re.I
)
REFERENCE = re.compile(r"(?:env|file|aws-kms|transit):|https?://|\{\{|\$\{|<")
ENTROPY_BITS = 3.5
"""Bits a character from which on a text behind `password =` is taken for a secret, and not for words."""


def no_plain_hash(given: Given) -> Iterator[Found]:
    """PC15: an identifier is hashed under a key, or not at all: others have the same list of addresses to hash."""
    personal = {*given.personal_features, *(one.rpartition(".")[2] for one in given.personal_features.values())}
    for path, text in given.files.items():
        if path.endswith(".py"):
            for line in sorted(set(plain_hashes(text, personal))):
                yield Found(
                    "a personal value is hashed without a key, which hides nothing; use hmac with a secret, or leave "
                    "it sealed",
                    f"{path}:{line}",
                )
    for name, one in given.policy.destinations.items():
        for field in one.fields:
            if HASHED.search(field):
                yield Found(
                    f"the destination {name} asks for {field}: a plain hash of an id is that id; name the field "
                    "itself, or send the pseudonym",
                    given.in_policy(f"destinations.{name}", field),
                )


def key_scopes(given: Given) -> Iterator[Found]:
    """PC17: a write key is public, and can do nothing but add events; nobody else reads the file of keys."""
    if given.keys_file:
        yield Found("others on this machine may read the keys; take that right away (chmod 600)", given.keys_file)
    for key in given.keys:
        if key.kind not in ("write", "secret"):
            yield Found(
                f"the key {key.id} is of the kind {key.kind!r}, expected write or secret; revoke it", "keys.json"
            )
        beyond = [one for one in key.scopes or () if one not in WRITE_SCOPES]
        if key.kind == "write" and beyond:
            yield Found(
                f"the write key {key.id} may do {', '.join(beyond)}, and everybody who opens the shop's page has it; "
                "revoke it and make one without",
                "keys.json",
            )
        elif key.scopes is not None and "*" in key.scopes:
            yield Found(f"the key {key.id} may do everything; make one for what it is used for", "keys.json")


def pipelines(given: Given) -> Iterator[Found]:
    """PC18: somebody answers for each source of events and its dead letters, and somebody is woken."""
    declared = given.policy.pipelines
    if not declared:
        yield Found("no source of events has an owner and an alarm; add [pipelines]", given.in_policy("pipelines"))
    for name, one in declared.items():
        for what, value in (("owner", one.owner), ("alarm", one.alarm)):
            if not value.strip():
                yield Found(f"the pipeline {name} has no {what}; name one", given.in_policy("pipelines", name))
    told_of_mails = [HOUSE] if given.settings.mail_events else []  # the house writes down what providers tell
    sources = [*(key.source for key in given.keys), *told_of_mails]
    for source in dict.fromkeys(sources):
        if declared and source not in declared:
            yield Found(
                f'events come from {source}, whose dead letters nobody answers for; add "{source}" to [pipelines] with '
                "owner and alarm",
                given.in_policy("pipelines"),
            )


def no_secrets(given: Given) -> Iterator[Found]:
    """PC19: secrets are named, never written: no file of the project holds one."""
    for path, text in given.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            told = next((what for what, shape in SECRETS if shape.search(line)), "")
            given_value = ASSIGNED.search(line)
            if not told and given_value and _is_secret(given_value[1]):
                told = "a secret"
            if told:
                yield Found(
                    f"this looks like {told}, written out; keep it in a variable or a file outside of the project, "
                    "refer to it (env:NAME, file:PATH), and change it",
                    f"{path}:{number}",
                )


def records_current(given: Given) -> Iterator[Found]:
    """PC20: the records of processing in the project are those that it makes."""
    kept = given.files.get(FILE_NAME)
    if kept is None:
        yield Found(f"there is no {FILE_NAME}; `livepost ropa --to {FILE_NAME}` writes it", FILE_NAME)
    elif kept != written(records_of(given)):
        now = written(records_of(given)).splitlines()
        lines = kept.splitlines()
        at = next((n for n, (a, b) in enumerate(zip(lines, now, strict=False)) if a != b), min(len(lines), len(now)))
        yield Found(
            f"the records of processing are not those of the project; `livepost ropa --to {FILE_NAME}` writes them",
            f"{FILE_NAME}:{at + 1}",
        )


def _is_secret(text: str) -> bool:
    if REFERENCE.search(text):
        return False
    counts = Counter(text)
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
    mixed = any(one.isdigit() for one in text) and any(one.isalpha() for one in text)
    return mixed and bits >= ENTROPY_BITS
