"""Accounts: log in, stay in, get out; what a user changes of their own, and what who runs the house changes of others.

In: what people type, and from which address. Out: words of sessions, who has one, errors that say what to do. Promised:
each login has a new session; a new password, a second factor, another role, a reset or a disabling ends all sessions of
before; who has no account waits as long for a refusal as who has one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar

import msgspec

from livepost.audit.deed import by_session, by_user
from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, Clock
from livepost.control.sessions import Session, SessionTable
from livepost.control.sqlite import ControlStore
from livepost.control.tries import Tries, WaitMs
from livepost.control.users import User, Users
from livepost.errors import RejectedError
from livepost.govern.login import totp
from livepost.govern.login.oidc.id_token import Identity
from livepost.govern.login.password import Passwords, require_good
from livepost.govern.login.throttle import account_wait_ms, address_wait_ms, pair_wait_ms
from livepost.model.principal import Principal, Role

SESSION_MS = 12 * HOUR_MS
"""How long a session lasts at most."""

IDLE_MS = 4 * HOUR_MS
"""How long a session lasts that nobody uses; a live page that only looks on does not count."""

TOUCH_MS = MINUTE_MS
"""How often at most the use of a session is noted."""

SECOND_MS = 5 * MINUTE_MS
"""How long the code of a second factor is waited for."""

INVITATION_MS = 2 * DAY_MS
WAITING_MAX = 1_000
CODES_MAX = 64
T = TypeVar("T")


class Entered(msgspec.Struct, frozen=True):
    """What a login came to: who, and the word of a session, or of a wait for the code of their second factor."""

    user: User
    word: str
    second: bool = False


class Enrolling(msgspec.Struct, frozen=True):
    """A second factor that is being set up: its secret as people type it, and as a picture."""

    typed: str
    picture: str


class Accounts:
    """The accounts of a workspace; `secret` is the vault's for users. Blocking, from any thread, but for `who`."""

    def __init__(self, store: ControlStore, secret: bytes, clock: Clock, passwords: Passwords, shop_name: str) -> None:
        self.users = Users(store, secret)
        self.sessions = SessionTable(store, IDLE_MS)
        self._tries = Tries(store, secret)
        self._clock = clock
        self._passwords = passwords
        self._shop_name = shop_name
        self._waiting: dict[str, tuple[User, int]] = {}
        self._enrolling: dict[str, tuple[bytes, int]] = {}

    # Getting in

    def log_in(self, email: str, password: str, address: str) -> Entered:
        """Return what a login came to; raise RejectedError: 401 if address and password are not a user's, 429 for too
        many tries.
        """
        account = email.strip().casefold()[:254]
        self._charge(account, address)
        user = self.users.by_email(account)
        able = user is not None and not user.disabled
        right = self._passwords.is_right(user.password if user and able else "", password)
        if user is None or not right:
            raise _refused("no user has this address and this password", "login")
        if self._passwords.is_old(user.password):
            user = self.users.rehash(user, self._passwords.hash(password))
        if user.second is not None:
            return Entered(user, self._wait_for(user), second=True)
        self._let_in(account, address)
        return self._enter(user)

    def second(self, word: str, code: str, address: str) -> Entered:
        """Return what the code of a second factor, or a recovery code, came to; `word` is that of the wait for it.

        Raises RejectedError: 401 for a wrong code or a wait that ended, 429 for too many tries.
        """
        user, ends_ms = self._waiting.get(word, (None, 0))
        if user is None or self._clock.now_ms() >= ends_ms:
            raise _refused("the code was waited for too long; log in again", "second_over")
        account = user.email.strip().casefold()
        self._charge(account, address)
        if not self._is_second(user, code):
            raise _refused("this code is not right, or was used before; wait for the next one", "second")
        self._waiting.pop(word, None)
        self._let_in(account, address)
        return self._enter(user)

    def charge_sign_in(self, address: str) -> None:
        """Count a try to sign in from an address, before it is judged; raise RejectedError (429) for too many."""
        self._charge_for([(f"address:{address}", address_wait_ms)])

    def known_as(self, issuer: str, who: Identity) -> tuple[User, bool]:
        """Return the user whom a provider signed in, and whether that is the first time: they are bound to it then.

        Raises RejectedError (401) if nobody has a right to come in by it: who is not bound has to have been made a user
        with an address that the provider says is theirs, and never to have signed in as somebody else.
        """
        bound = self.users.by_subject(issuer, who.subject)
        user = bound or (self.users.by_email(who.email) if who.email else None)
        if user is None or user.disabled or (bound is None and self.users.is_bound(user.id)):
            raise _refused(
                "nobody here has the address that the provider says is yours; ask an owner to add you"
                if who.email or bound is not None
                else "the provider does not say that your address is proven (email_verified); ask who runs it",
                "sign_in",
            )
        return user, bound is None

    def sign_in(self, user: User, issuer: str, who: Identity, address: str) -> Entered:
        """Let in a user whom a provider signed in; no second factor is asked for, which is the provider's to do."""
        self.users.bind(user.id, issuer, who.subject)
        self._tries.clear(
            [f"address:{address}"], f"known:{_pair(user.email.strip().casefold(), address)}", self.now_ms()
        )
        return self._enter(user)

    def begin_by_link(self) -> str:
        """Return the word of a session for who followed a one-time link: the owner of the data folder."""
        return self._begin(None)

    def accept(self, word: str, password: str) -> Entered:
        """Take the first password of who was invited, and let them in; raise RejectedError for a word that holds no
        more (401), a password that is not taken (422).
        """
        user = self.invited(word)
        require_good(password, user.email, user.name)
        hashed = self._passwords.hash(password)
        self.invited(word)  # the hashing took its time
        self.users.set_password(user.id, hashed)
        return Entered(user, self._begin(user.id))

    def invited(self, word: str) -> User:
        """Return who was invited by a word; raise RejectedError (401) if it holds no more."""
        user = self.users.invited(word, self._clock.now_ms())
        if user is None:
            raise _refused("this link was followed before, or it waited too long", "link")
        return user

    # Staying in

    def session(self, word: str) -> Session | None:
        """Return the session of a word, None if there is none."""
        return self.sessions.find(word, self._clock.now_ms()) if 0 < len(word) <= 100 else None

    def who(self, word: str) -> Principal | None:
        """Return who has the session of a word, None if nobody; quick enough for an event loop."""
        found = self.session(word)
        return None if found is None else principal_of(found)

    def is_stale(self, session: Session) -> bool:
        """Return whether the use of a session is to be noted again."""
        return self._clock.now_ms() - session.seen_ms >= TOUCH_MS

    def touch(self, session: Session) -> None:
        """Note that a session is used."""
        self.sessions.touch(session.id, self._clock.now_ms())

    def now_ms(self) -> int:
        """Return the host's time."""
        return self._clock.now_ms()

    # One's own account

    def change_password(self, id: str, old: str, new: str, address: str) -> str:
        """Take a user's new password, end their sessions, and return the word of a new one.

        Raises RejectedError: 401 if the old one is wrong, 422 if the new one is not taken, 429 for too many tries.
        """
        user = self.prove(id, old, address)
        require_good(new, user.email, user.name)
        self.users.set_password(id, self._passwords.hash(new))
        return self._begin(id)

    def enrol(self, id: str, password: str, address: str) -> Enrolling:
        """Begin a second factor; raise RejectedError (401, 429) if the password is not right."""
        user = self.prove(id, password, address)
        secret = totp.new_secret()
        self._enrolling = _held(self._enrolling, self._clock.now_ms())
        self._enrolling[id] = (secret, self._clock.now_ms() + 2 * SECOND_MS)
        picture = totp.picture(totp.address(secret, f"Livepost {self._shop_name}", user.email))
        return Enrolling(totp.base32(secret), picture)

    def confirm_second(self, id: str, code: str) -> tuple[str, list[str]]:
        """Take the second factor that was begun, if the code is its own; return the word of a new session, and recovery
        codes to be shown once. Raises RejectedError (422) for a wrong code or one that came too late.
        """
        secret, ends_ms = self._enrolling.get(id, (b"", 0))
        step = totp.step_of(secret, code, self._clock.now_ms()) if self._clock.now_ms() < ends_ms else None
        if step is None:
            raise RejectedError(
                "expected the code that the app shows now, got another; begin again and scan the new picture",
                code="second",
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        del self._enrolling[id]
        codes = totp.new_recovery_codes()
        self.users.set_second(id, secret, step, codes)
        return self._begin(id), codes

    def drop_second(self, id: str, password: str, address: str) -> str:
        """Do without the second factor; return the word of a new session. Raises RejectedError (401, 429)."""
        self.prove(id, password, address)
        self.users.drop_second(id)
        return self._begin(id)

    def prove(self, id: str, password: str, address: str) -> User:
        """Return the user if the password is theirs; raise RejectedError: 401 if not, 429 for too many tries."""
        user = self.users.get(id)
        account = user.email.strip().casefold()
        self._charge(account, address)
        if not self._passwords.is_right(user.password, password):
            raise RejectedError(
                "expected your present password, got another; nothing was changed",
                code="password",
                status=HTTPStatus.FORBIDDEN,
            )
        self._let_in(account, address)
        return user

    # Others' accounts

    def add(self, name: str, email: str, role: Role) -> tuple[User, str]:
        """Make a user; return them and the word of an invitation to set a password."""
        user = self.users.add(name.strip(), email.strip(), role, self._clock.now_ms())
        return user, self.invite(user.id)

    def invite(self, id: str) -> str:
        """Return the word of an invitation to set a password, which holds for INVITATION_MS."""
        return self.users.invite(id, self._clock.now_ms() + INVITATION_MS)

    def reset(self, id: str) -> str:
        """Forget a user's password, second factor and who they are at a provider; return the word of an invitation to
        set a new password.
        """
        self.users.reset(id)
        return self.invite(id)

    def set_password(self, id: str, password: str) -> None:
        """Take a password for a user, said by who has the data folder; raise RejectedError (422) if it is not taken."""
        user = self.users.get(id)
        require_good(password, user.email, user.name)
        self.users.set_password(id, self._passwords.hash(password))

    def _charge(self, account: str, address: str) -> None:
        pair = _pair(account, address)
        whats = [(f"pair:{pair}", pair_wait_ms), (f"address:{address}", address_wait_ms)]
        if not self._tries.knows(f"known:{pair}"):
            whats.append((f"account:{account}", account_wait_ms))
        self._charge_for(whats)

    def _charge_for(self, whats: Sequence[tuple[str, WaitMs]]) -> None:
        wait_ms = self._tries.charge(whats, self._clock.now_ms())
        if wait_ms:
            raise RejectedError(
                f"too many tries failed; try again in {-(-wait_ms // 1000)} s",
                code="too_many_tries",
                status=HTTPStatus.TOO_MANY_REQUESTS,
            )

    def _let_in(self, account: str, address: str) -> None:
        pair = _pair(account, address)
        whats = [f"pair:{pair}", f"address:{address}", f"account:{account}"]
        self._tries.clear(whats, f"known:{pair}", self._clock.now_ms())

    def _is_second(self, user: User, code: str) -> bool:
        step = None if user.second is None else totp.step_of(user.second, code[:CODES_MAX], self._clock.now_ms())
        if step is not None:
            return self.users.take_step(user.id, step)
        return self.users.take_recovery_code(user.id, totp.as_recovery_code(code[:CODES_MAX]))

    def _wait_for(self, user: User) -> str:
        now_ms = self._clock.now_ms()
        self._waiting = _held(self._waiting, now_ms)
        word = secrets.token_urlsafe(24)
        self._waiting[word] = (user, now_ms + SECOND_MS)
        return word

    def _enter(self, proven: User) -> Entered:
        """Begin a session of a user as they were proven; raise RejectedError (401) if they changed meanwhile."""
        word = self._begin(proven.id)
        now = self.users.get(proven.id)
        if now.disabled or (now.password, now.second) != (proven.password, proven.second):
            found = self.session(word)
            if found is not None:
                self.sessions.end(found.id)
            raise _refused("this account was changed just now; log in again", "login")
        return Entered(now, word)

    def _begin(self, user: str | None) -> str:
        now_ms = self._clock.now_ms()
        return self.sessions.begin(user, now_ms, now_ms + SESSION_MS)


def principal_of(session: Session) -> Principal:
    """Return who has a session; that of a one-time link is the owner's."""
    if session.user is None or session.role is None:
        return Principal(by=by_session(session.id), role="owner")
    return Principal(by=by_user(session.user), role=session.role, glass=session.glass)


ABOVE: frozenset[Role] = frozenset(("owner", "privacy_officer"))
"""Roles that only an owner gives and changes: the others see people unmasked, and approve what concerns them."""


def require_above(who: Principal, *roles: Role) -> None:
    """Raise RejectedError (403) if somebody who may change users would make or change one above themselves (`ABOVE`).

    Who may change users at all is the rules' to say.
    """
    if ABOVE & {*roles} and who.role != "owner":
        raise RejectedError(
            f"expected an owner to do this, got a {who.role}; ask one",
            code="role",
            status=HTTPStatus.FORBIDDEN,
        )


def _held(waiting: dict[str, tuple[T, int]], now_ms: int) -> dict[str, tuple[T, int]]:
    held = [(key, one) for key, one in list(waiting.items()) if one[1] > now_ms]
    return dict(held[-WAITING_MAX + 1 :])


def _pair(account: str, address: str) -> str:
    return f"{len(account)}:{account}:{address}"


def _refused(sentence: str, code: str) -> RejectedError:
    return RejectedError(sentence, code=code, status=HTTPStatus.UNAUTHORIZED)
