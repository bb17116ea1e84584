"""Who may log in: a name, an address and a role each, with what proves that it is they.

Reads and writes: the tables `users`, `recovery_codes`, `invitations` and `sign_ins`. Promised: names, addresses and
secrets of second factors are sealed; passwords come here hashed already; removing somebody leaves nothing of theirs.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import cast

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from livepost.control.sqlite import ControlStore
from livepost.errors import RejectedError, SealError
from livepost.ids import digest
from livepost.model.principal import Role

USERS_MAX = 1_000
_NONCE_BYTES = 12
_ID_BYTES = 8
_COLUMNS = "id, sealed, role, made_ms, disabled, password, second, second_step"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user as kept.

    password     Argon2's own text of a hash, "" while there is none
    second       the secret of the second factor, None without one
    second_step  the step of the code that was used last (RFC 6238), -1 for none
    """

    id: str
    name: str
    email: str
    role: Role
    made_ms: int
    disabled: bool
    password: str
    second: bytes | None
    second_step: int


class Users:
    """The users of a workspace; `secret` is the vault's for them (32 bytes)."""

    def __init__(self, store: ControlStore, secret: bytes) -> None:
        self._store = store
        self._cipher = AESGCM(digest("users sealed", size=32, key=secret))
        self._blinding = digest("users blind", size=32, key=secret)

    def add(self, name: str, email: str, role: Role, now_ms: int) -> User:
        """Make a user without a password; raise RejectedError (409) if the address has one, or there are USERS_MAX."""
        id = secrets.token_hex(_ID_BYTES)
        with self._store.transaction():
            if self._store.read("SELECT count(*) FROM users")[0][0] >= USERS_MAX:
                raise _conflict(f"expected at most {USERS_MAX} users; remove one who is gone")
            values = (id, self._blind(email), self._seal(id, [name, email]), role, now_ms)
            sql = (
                "INSERT INTO users (id, email_blind, sealed, role, made_ms) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (email_blind) DO NOTHING"
            )
            if not self._store.write(sql, values):
                raise _conflict("expected an address that no user has, got one that a user has; change that one")
        return self.get(id)

    def all(self) -> list[User]:
        """Return every user, the first made first."""
        return [self._user(row) for row in self._store.read(f"SELECT {_COLUMNS} FROM users ORDER BY made_ms, id")]

    def get(self, id: str) -> User:
        """Return a user; raise RejectedError (404) if there is none of that id."""
        rows = self._store.read(f"SELECT {_COLUMNS} FROM users WHERE id = ?", (id,))
        if not rows:
            raise RejectedError("expected a user's id, got that of none; the list shows them", code="user", status=404)
        return self._user(rows[0])

    def by_email(self, email: str) -> User | None:
        """Return the user with an address, however it is capitalised; None if there is none."""
        rows = self._store.read(f"SELECT {_COLUMNS} FROM users WHERE email_blind = ?", (self._blind(email),))
        return self._user(rows[0]) if rows else None

    def by_subject(self, issuer: str, subject: str) -> User | None:
        """Return the user who is bound to an id at a provider; None if nobody is."""
        rows = self._store.read("SELECT user_id FROM sign_ins WHERE subject = ?", (self._subject(issuer, subject),))
        return self.get(rows[0][0]) if rows else None

    def is_bound(self, id: str) -> bool:
        """Return whether a user is bound to an id at a provider."""
        return bool(self._store.read("SELECT 1 FROM sign_ins WHERE user_id = ?", (id,)))

    def bind(self, id: str, issuer: str, subject: str) -> None:
        """Bind a user to an id at a provider; raise RejectedError (409) if they, or that id, are bound otherwise."""
        kept = self._subject(issuer, subject)
        with self._store.transaction():
            sql = "SELECT user_id, subject FROM sign_ins WHERE user_id = ? OR subject = ?"
            bound = self._store.read(sql, (id, kept))
            if any(row != (id, kept) for row in bound):
                raise _conflict("this user signs in as somebody else already; an owner resets them")
            if not bound:
                self._store.write("INSERT INTO sign_ins VALUES (?, ?)", (id, kept))

    def set_role(self, id: str, role: Role) -> None:
        """Give a user another role, and end their sessions."""
        self._change(id, "UPDATE users SET role = ? WHERE id = ?", (role, id))

    def disable(self, id: str, *, disabled: bool) -> None:
        """Let a user in no more, or again; sessions and invitations end."""
        self._change(id, "UPDATE users SET disabled = ? WHERE id = ?", (int(disabled), id))

    def set_password(self, id: str, hashed: str) -> None:
        """Take a new password (hashed), and end their sessions."""
        self._change(id, "UPDATE users SET password = ? WHERE id = ?", (hashed, id))

    def rehash(self, user: User, hashed: str) -> User:
        """Keep the same password as another hash, unless it was changed meanwhile; return the user with it."""
        with self._store.transaction():
            sql = "UPDATE users SET password = ? WHERE id = ? AND password = ?"
            self._store.write(sql, (hashed, user.id, user.password))
        return msgspec.structs.replace(user, password=hashed)

    def set_second(self, id: str, secret: bytes, step: int, codes: list[str]) -> None:
        """Take a second factor, the step of the code that proved it, and recovery codes; sessions end."""
        sealed = self._cipher_text(id, b"second", secret)
        sql = "UPDATE users SET second = ?, second_step = ? WHERE id = ?"
        with self._store.transaction():
            self._change_here(id, sql, (sealed, step, id))
            self._store.write("DELETE FROM recovery_codes WHERE user_id = ?", (id,))
            for code in codes:
                self._store.write("INSERT INTO recovery_codes VALUES (?, ?)", (id, _hash(code)))

    def drop_second(self, id: str) -> None:
        """Forget a user's second factor and recovery codes; sessions end."""
        with self._store.transaction():
            self._change_here(id, "UPDATE users SET second = NULL, second_step = -1 WHERE id = ?", (id,))
            self._store.write("DELETE FROM recovery_codes WHERE user_id = ?", (id,))

    def take_step(self, id: str, step: int) -> bool:
        """Use the code of a step; return False if it or a later one was used before."""
        with self._store.transaction():
            sql = "UPDATE users SET second_step = ? WHERE id = ? AND second_step < ?"
            return self._store.write(sql, (step, id, step)) == 1

    def take_recovery_code(self, id: str, code: str) -> bool:
        """Use a recovery code up; return False if it is none, or no more."""
        with self._store.transaction():
            sql = "DELETE FROM recovery_codes WHERE user_id = ? AND hash = ?"
            return self._store.write(sql, (id, _hash(code))) == 1

    def recovery_codes_left(self, id: str) -> int:
        """Return how many of a user's recovery codes were not used."""
        return int(self._store.read("SELECT count(*) FROM recovery_codes WHERE user_id = ?", (id,))[0][0])

    def reset(self, id: str) -> None:
        """Forget password, second factor and who they are at a provider, as for somebody who lost all; sessions end."""
        with self._store.transaction():
            sql = "UPDATE users SET password = '', second = NULL, second_step = -1 WHERE id = ?"
            self._change_here(id, sql, (id,))
            self._store.write("DELETE FROM recovery_codes WHERE user_id = ?", (id,))
            self._store.write("DELETE FROM sign_ins WHERE user_id = ?", (id,))

    def remove(self, id: str) -> None:
        """Forget a user; the audit's entries keep their id, which belongs to nobody then."""
        self._change(id, "DELETE FROM users WHERE id = ?", (id,))

    def invite(self, id: str, ends_ms: int) -> str:
        """Return a word that lets a user set a password once; it takes the place of one given before."""
        word = secrets.token_urlsafe(24)
        with self._store.transaction():
            self._store.write("DELETE FROM invitations WHERE user_id = ?", (id,))
            self._store.write("INSERT INTO invitations VALUES (?, ?, ?)", (_hash(word), id, ends_ms))
        return word

    def invited(self, word: str, now_ms: int) -> User | None:
        """Return who was invited by a word that still holds, None for any other word."""
        sql = (
            "SELECT users.id FROM invitations JOIN users ON users.id = invitations.user_id "
            "WHERE hash = ? AND ends_ms > ? AND disabled = 0"
        )
        rows = self._store.read(sql, (_hash(word), now_ms))
        return self.get(rows[0][0]) if rows else None

    def _change(self, id: str, sql: str, values: tuple[object, ...]) -> None:
        with self._store.transaction():
            self._change_here(id, sql, values)

    def _change_here(self, id: str, sql: str, values: tuple[object, ...]) -> None:
        """Change a user and end what they opened, in the transaction that is open."""
        self._store.write("DELETE FROM sessions WHERE user_id = ?", (id,))
        self._store.write("DELETE FROM invitations WHERE user_id = ?", (id,))
        if not self._store.write(sql, values):
            raise RejectedError("expected a user's id, got that of none; the list shows them", code="user", status=404)

    def _user(self, row: tuple[object, ...]) -> User:
        id, sealed, role, made_ms, disabled, password, second, step = row
        name, email = self._open(cast(str, id), cast(bytes, sealed))
        return User(
            id=cast(str, id),
            name=name,
            email=email,
            role=cast(Role, role),
            made_ms=cast(int, made_ms),
            disabled=bool(disabled),
            password=cast(str, password),
            second=None if second is None else self._plain(cast(str, id), b"second", cast(bytes, second)),
            second_step=cast(int, step),
        )

    def _blind(self, email: str) -> bytes:
        return digest("email", email.strip().casefold(), size=16, key=self._blinding)

    def _subject(self, issuer: str, subject: str) -> bytes:
        return digest("sign-in", issuer, subject, size=16, key=self._blinding)

    def _seal(self, id: str, told: list[str]) -> bytes:
        return self._cipher_text(id, b"who", msgspec.msgpack.encode(told))

    def _open(self, id: str, sealed: bytes) -> tuple[str, str]:
        return msgspec.msgpack.decode(self._plain(id, b"who", sealed), type=tuple[str, str])

    def _cipher_text(self, id: str, what: bytes, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, what + id.encode())

    def _plain(self, id: str, what: bytes, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], what + id.encode())
        except InvalidTag:
            raise SealError(
                f"what is kept of user {id} cannot be opened: control.db and vault.db are not of one data folder"
            ) from None


def can_enter(store: ControlStore) -> bool:
    """Return whether anybody has a password and is not disabled."""
    return bool(store.read("SELECT count(*) FROM users WHERE password <> '' AND disabled = 0")[0][0])


def roles_of_users(store: ControlStore) -> dict[str, Role]:
    """Return the role of each user who is not disabled, by their id; those who have no password yet, too."""
    return dict(store.read("SELECT id, role FROM users WHERE disabled = 0"))


def _hash(word: str) -> bytes:
    return sha256(word.encode("utf-8", "surrogatepass")).digest()


def _conflict(sentence: str) -> RejectedError:
    return RejectedError(sentence, code="user", status=409)
