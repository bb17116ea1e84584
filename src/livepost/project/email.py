"""What an author's function returns: which template, with which words and values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from livepost.model.message import EmailDraft
from livepost.project.duration import in_ms
from livepost.project.money import Money


class Email:
    """One mail to one person: a template by name, a Liquid subject, and variables for both.

    The profile's features are variables already; what is given here comes on top and wins.
    """

    def __init__(self, template: str, /, *, subject: str, preheader: str = "", **variables: object) -> None:
        """Name the template (`templates/NAME.mjml`); `subject` and `preheader` are Liquid."""
        self.template = template
        self.subject = subject
        self.preheader = preheader
        self.variables = variables

    def draft(self, known: Mapping[str, object]) -> EmailDraft:
        """Return the mail as data, with `known` variables below its own; money is [minor units, currency]."""
        return EmailDraft(
            template=self.template,
            subject=self.subject,
            preheader=self.preheader,
            variables={name: _plain(value) for name, value in {**known, **self.variables}.items()},
        )


def _plain(value: object) -> Any:
    """Return a value as templates take it: money as [minor units, currency], lengths of time in ms."""
    if isinstance(value, Money):
        return [value.minor, value.currency]
    if isinstance(value, timedelta):
        return in_ms(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
