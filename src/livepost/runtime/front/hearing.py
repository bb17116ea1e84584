"""Events of mail providers, from the endpoint into ledger and log.

In: events that were proven to be a provider's. Out: what they mean, in the ledger first, then in the log. Promised: a
request's events are all kept or it is answered with an error; heard again they change nothing; a record that a failure
kept from the log is brought to it when the provider sends the event again.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable, Sequence

from livepost.clock import Clock, WallClock
from livepost.errors import SealError, SettingsError
from livepost.fetch.fetcher import Fetcher
from livepost.ledger.base import Ledger
from livepost.measure.feedback import feedback_of, heard
from livepost.model.feedback import MailEvent, rate_sentence
from livepost.model.record import Record
from livepost.settings.mail_events import BY_TOPIC, MailEvents
from livepost.settings.secret import read_secret
from livepost.settings.settings import Settings
from livepost.sources.esp.hooks import Door, Hear, Hooks
from livepost.sources.esp.proof import Proof, proof_of
from livepost.sources.esp.sns import Get, Sns

HEAR = "hear"
"""The name under which the front takes events of another process."""

EXTRA = ("anymail", "boto3")
"""What reads events."""


class Hearing:
    """Writes down what is told of mails; for the event loop of the log's writer."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        blind: Callable[[str], bytes],
        append: Callable[[Sequence[Record]], Awaitable[None]],
        echo: Callable[[], Awaitable[int]],
        known: Callable[[bytes], bool],
        clock: Clock,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Take the parts: `blind` gives an address's keyed hash, `echo` brings withdrawals to the log, `known` is the
        vault's word on a person.
        """
        self._ledger = ledger
        self._blind = blind
        self._append = append
        self._echo = echo
        self._known = known
        self._clock = clock
        self._say = say or _say

    async def __call__(self, events: Sequence[MailEvent]) -> None:
        """Return once ledger and log have what the events mean; raise LivepostError if they have not."""
        now_ms = self._clock.now_ms()
        told = [one for event in events if (one := feedback_of(event, self._blind, now_ms)) is not None]
        outcomes = await asyncio.to_thread(self._ledger.hear, told, now_ms)
        unlogged = [one for one in outcomes if one.unlogged]
        records = [record for one in unlogged if (record := heard(one, known=self._is_known(one.person))) is not None]
        if records:
            await self._append(records)
        if unlogged:
            await asyncio.to_thread(self._ledger.logged, [one.feedback.key for one in unlogged])
        while await self._echo():
            pass
        if any(one.new and one.feedback.outcome == "complained" for one in outcomes):
            await asyncio.to_thread(self._say_rate, now_ms)

    def _say_rate(self, now_ms: int) -> None:
        """Tell the operator of a complaint rate that is too high."""
        rate = self._ledger.complaints(now_ms)
        if rate.level:
            self._say(rate_sentence(rate))

    def _is_known(self, person: bytes | None) -> bool:
        try:
            return person is not None and self._known(person)
        except SealError:  # forgotten meanwhile: nobody will make anything of it
            return False


def check_hooks(settings: Settings) -> None:
    """Raise SettingsError for a provider whose events could not be taken: a secret or a package is not there."""
    for table in settings.mail_events:
        _require_extra(table)
        if table.provider != BY_TOPIC:
            _proof(table)


def hooks_of(settings: Settings, hear: Hear, fetch: Get | None = None, clock: Clock | None = None) -> Hooks:
    """Return what the endpoint needs; raise SettingsError for a provider that could not be heard.

    `fetch` is the way out to SNS, `clock` the host's.
    """
    doors = {table.provider: _door(table, fetch or Fetcher()) for table in settings.mail_events}
    return Hooks(doors=doors, hear=hear, clock=clock or WallClock(), say=_say)


def _door(table: MailEvents, fetch: Get) -> Door:
    """Return a provider's door; what reads its events is imported only now: it is an extra, and takes a second."""
    _require_extra(table)
    proof: Proof = Sns(table.topics, fetch) if table.provider == BY_TOPIC else _proof(table)
    return Door(proof, importlib.import_module("livepost.sources.esp.anymail").Reader(table.provider))


def _proof(table: MailEvents) -> Proof:
    return proof_of(table, read_secret(f"the secret of the mail_events of {table.provider}", table.secret, os.environ))


def _require_extra(table: MailEvents) -> None:
    if any(importlib.util.find_spec(package) is None for package in EXTRA):
        raise SettingsError(
            f"mail_events names {table.provider}, which needs an extra; say pip install 'livepost[esp]'"
        )


def _say(sentence: str) -> None:
    print(f"livepost: {sentence}", file=sys.stderr)  # noqa: T201 - where the house's troubles are said
