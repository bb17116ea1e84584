"""`sendgrid:` and the other providers: mails given to an API, a few at a time; a body of `deliver.sender.Sender`.

In: mails. Out: receipts. Promised: a receipt says what `answer.py` makes of the provider's words; without an answer it
is `temporary` if nothing of the request was written, else `unknown`; when the provider fails, the rest of a group
waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import msgspec

from livepost.clock import Clock, WallClock
from livepost.deliver.answer import TEXT_CHARS, one_line
from livepost.deliver.envelope import unfit
from livepost.deliver.esp.answer import CONFLICT, Answer, asked_wait_ms, meaning, without, words
from livepost.deliver.esp.anymail import IMPOSSIBLE, Carrier, Read, Request
from livepost.deliver.esp.asking import QUESTIONS, Question, Sought
from livepost.deliver.esp.provider import provider_of
from livepost.deliver.esp.wire import Exchange
from livepost.model.message import Message, Receipt, ReceiptState
from livepost.settings.provider import ProviderAddress

LOST = "the connection was lost, or nothing came, after the request was written: nobody can know"
SPARED = "the provider failed another mail just now, so this one was not written"
IN_VAIN = ("temporary", "unknown")
"""What says that the next mail would fare no better."""

MAX_ASKED = 20
"""Mails that are asked about at a time: nothing is sent meanwhile."""

WATCH_S = 0.2
"""How often is looked for exchanges that take too long."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long is waited, in seconds."""

    connect_s: float = 10.0
    """For TCP, and again for TLS; a name that does not resolve takes the system's own time."""
    answer_s: float = 60.0
    """For the next byte of the answer; whoever waits less makes more mails `unknown`."""
    total_s: float = 120.0
    """For all of it: an answer that comes byte by byte is cut off."""
    ask_s: float = 5.0
    """For the answer to a question: mails wait meanwhile."""
    idle_s: float = 30.0
    """Connections that stood so long are not used again: the other side may have closed them unheard."""


class EspSender:
    """Gives mails to one provider."""

    def __init__(
        self,
        address: ProviderAddress,
        secret: str,
        clock: Clock | None = None,
        patience: Patience | None = None,
        message_id: Callable[[bytes], str] | None = None,
    ) -> None:
        """Take the provider's address and key; nothing is connected to before there is a mail.

        `message_id` gives the Message-ID of a decision's mail: by it some providers are asked what became of one.
        """
        self._provider = provider_of(address.name)
        self._secret = secret
        self._user = address.options.get("user", "")
        self._domain = address.options.get("domain", "")
        self._message_id = message_id
        self._clock = clock or WallClock()
        self._patience = patience or Patience()
        timeout_s = (self._patience.connect_s, self._patience.answer_s)
        self._carrier = Carrier(self._provider, address, secret, timeout_s)
        self._workers = ThreadPoolExecutor(address.connections, thread_name_prefix=address.name)
        self._used_s = time.monotonic()

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Give the mails to the provider, side by side over its connections; return a receipt for each, in order."""
        if time.monotonic() - self._used_s > self._patience.idle_s:
            self._carrier.let_go()
        group = _Group()
        tries = [_Try(message, self._carrier.exchange(message)) for message in messages]
        receipts = [self._workers.submit(self._send_one, one, group) for one in tries]
        self._watch(tries, receipts)
        self._used_s = time.monotonic()
        return [receipt.result() for receipt in receipts]

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        """Return `sent` for mails that the provider says it has, `failed` for those it says it refused; else `unknown`:
        what it does not find may come later.

        At most MAX_ASKED are asked about, and none more once an answer did not come.
        """
        question = QUESTIONS.get(self._provider.name)
        if question is None:
            text = f"{self._provider.name} is not asked what became of a mail; its events tell"
            return [self._receipt("unknown", text) for _ in decisions]
        receipts: list[Receipt] = []
        try:
            for decision in decisions[:MAX_ASKED]:
                receipts.append(self._found(question, self._sought(decision)))
        except Exception:  # of requests, urllib3, the time-out: whatever it is, nothing was found
            self._carrier.let_go()
        left = len(decisions) - len(receipts)
        return receipts + [self._receipt("unknown", f"{self._provider.name} was not asked, or did not answer")] * left

    def _sought(self, decision: bytes) -> Sought:
        message_id = self._message_id(decision).strip("<>") if self._message_id else ""
        return Sought(decision.hex(), message_id, self._domain)

    def _found(self, question: Question, sought: Sought) -> Receipt:
        """Return what the provider says of a mail; raises whatever went wrong."""
        headers = {question.header: question.header_value(self._secret, self._user)} if question.header else {}
        base = question.base(self._carrier.api_url)

        def ask(path: str, params: dict[str, str]) -> Answer:
            told = {**params, "key": self._secret} if question.is_posted else params
            request = Request(f"{base.rstrip('/')}/{path}", told, headers, is_posted=question.is_posted)
            exchange = Exchange()
            answer = self._workers.submit(self._carrier.ask, request, exchange)
            try:
                return answer.result(self._patience.ask_s)
            except TimeoutError:
                exchange.cut()
                raise

        found = question.find(ask, sought)
        if found is None:
            return self._receipt("unknown", f"{self._provider.name} finds no such mail, which proves nothing")
        says = "refused" if found.refused else "has"
        text = self._line(f"{self._provider.name} {says} it: {found.status}")
        provider_id = "".join(c for c in found.provider_id if c.isprintable())[:TEXT_CHARS]
        return self._receipt("failed", text) if found.refused else self._receipt("sent", text, provider_id)

    def close(self) -> None:
        """End the threads and the connections."""
        self._workers.shutdown()
        self._carrier.let_go()

    def _watch(self, tries: Sequence[_Try], receipts: Sequence[Future[Receipt]]) -> None:
        """Wait for all, and cut off what takes too long."""
        waiting = set(receipts)
        while waiting:
            _, waiting = wait(waiting, timeout=WATCH_S)
            overdue_s = time.monotonic() - self._patience.total_s
            for one in tries:
                if one.begun_s is not None and one.begun_s < overdue_s:
                    one.exchange.cut()

    def _send_one(self, one: _Try, group: _Group) -> Receipt:
        if why := unfit(one.message):
            return self._receipt("failed", why)
        if group.in_vain:
            return msgspec.structs.replace(self._receipt("temporary", SPARED), untried=True)
        one.begun_s = time.monotonic()
        receipt = self._tried(one)
        one.begun_s = None
        if receipt.state in IN_VAIN and not _is_conflict(one.exchange.answer):
            group.in_vain = True
            return msgspec.structs.replace(receipt, trouble=True, untried=not one.exchange.written)
        return receipt

    def _tried(self, one: _Try) -> Receipt:
        try:
            read = self._carrier.carry(one.message, one.exchange)
        except Exception as error:  # of requests, urllib3, botocore, anymail: what counts is how far the request came
            return self._without_reading(one, error)
        return self._answered(one, read)

    def _without_reading(self, one: _Try, error: Exception) -> Receipt:
        """Return the receipt for a mail whose answer did not come, or could not be read."""
        if one.exchange.answer is not None:
            return self._answered(one, Read())
        if one.exchange.written:
            return self._receipt("unknown", LOST)
        if isinstance(error, IMPOSSIBLE):
            return self._receipt(
                "failed", self._line(f"{self._provider.name} cannot be told: {error}", one.message.recipient)
            )
        return self._receipt(
            "temporary", self._line(f"{self._provider.name}: {_first_cause(error)}", one.message.recipient)
        )

    def _answered(self, one: _Try, read: Read) -> Receipt:
        answer = one.exchange.answer
        if answer is None:  # anymail came to an end without asking anybody
            return self._receipt("failed", f"{self._provider.name} was not asked; this is a bug, please report it")
        state = meaning(answer, read.status, self._provider.codes)
        text = words(answer, read.status, one.message.recipient, self._secret)
        receipt = self._receipt(state, text, read.provider_id if state == "sent" else "")
        wait_ms = asked_wait_ms(answer.headers.get("retry-after", ""), self._clock.now_ms())
        return msgspec.structs.replace(receipt, wait_ms=wait_ms) if state in IN_VAIN else receipt

    def _line(self, text: str, recipient: str = "") -> str:
        return one_line(without(text, self._secret), recipient)

    def _receipt(self, state: ReceiptState, text: str, provider_id: str = "") -> Receipt:
        return Receipt(
            state=state,
            text=text,
            provider=self._provider.name,
            provider_id=provider_id,
            at_ms=self._clock.now_ms(),
        )


class _Group:
    """What the mails of one call know of each other."""

    in_vain = False


class _Try:
    """A mail under way; `begun_s` is None before and after."""

    def __init__(self, message: Message, exchange: Exchange) -> None:
        self.message = message
        self.exchange = exchange
        self.begun_s: float | None = None


def _is_conflict(answer: Answer | None) -> bool:
    return answer is not None and answer.status == CONFLICT


def _first_cause(error: BaseException) -> BaseException:
    """Return what went wrong at the bottom: libraries wrap it up to four times."""
    below = error.__cause__ or error.__context__
    return error if below is None else _first_cause(below)
