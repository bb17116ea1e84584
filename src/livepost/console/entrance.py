"""The pages that people get in by and see to their accounts on: login, second factor, first password, users.

In: forms of passwords, codes and names; who asks. Out: pages, cookies. Promised: what is typed is in no address and no
audit; each change is in the audit before it is done; a secret that a page shows once is not shown again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, Protocol

import msgspec
from markupsafe import Markup
from msgspec import Meta
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from livepost.audit.deed import Deed, Notary, by_user
from livepost.console.door import Door, ask_for_code, let_in, require_own, waiting_word
from livepost.console.page import fields_of
from livepost.console.sign_in import SignIn
from livepost.control.sessions import Session
from livepost.control.users import User
from livepost.errors import LivepostError, OverloadedError, RejectedError
from livepost.govern.access.permission import Permission
from livepost.govern.access.rules import Rules
from livepost.govern.login.accounts import ABOVE, Accounts, Enrolling, principal_of, require_above
from livepost.govern.login.oidc.provider import Provider
from livepost.govern.login.password import PASSWORD_MAX, PASSWORD_MIN
from livepost.model.principal import ROLES, Principal, Role

Typed = Annotated[str, Meta(max_length=PASSWORD_MAX)]
Line = Annotated[str, Meta(max_length=254)]
Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]

GIVING = ("add", "role")
"""Acts that give somebody a role."""

SEES_USERS = Permission("read", "users")
CHANGES_USERS = Permission("change", "users")

NOBODY = "login"
"""How the audit names who has not got in."""


class LoginTold(msgspec.Struct, frozen=True):
    """The login's form."""

    email: Line = ""
    password: Typed = ""


class CodeTold(msgspec.Struct, frozen=True):
    """The form of a second factor's code."""

    code: Annotated[str, Meta(max_length=64)] = ""


class FirstTold(msgspec.Struct, frozen=True):
    """The form of who was invited."""

    password: Typed = ""


class AccountTold(msgspec.Struct, frozen=True):
    """The forms of one's own account; `session` is the id of one to end."""

    act: Literal["password", "second", "confirm", "drop", "end"]
    old: Typed = ""
    new: Typed = ""
    code: Annotated[str, Meta(max_length=64)] = ""
    session: Id | None = None


class UserTold(msgspec.Struct, frozen=True):
    """The forms of the page of users."""

    act: Literal["add", "role", "disable", "enable", "reset", "remove"]
    user: Id = "0" * 16
    name: Line = ""
    email: Line = ""
    role: Role = "analyst"


class FormView(msgspec.Struct, frozen=True, kw_only=True):
    """A page with a form: what is said above it, whether that is trouble, who it is for, where else one signs in."""

    said: str = ""
    trouble: bool = False
    name: str = ""
    least: int = PASSWORD_MIN
    most: int = PASSWORD_MAX
    provider: str = ""


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """One's own account; `user` is None for a session of a one-time link. `codes` are shown this once; `provider` is
    where they sign in.
    """

    user: User | None
    session: Session
    sessions: list[Session] = []
    codes_left: int = 0
    enrolling: Enrolling | None = None
    picture: Markup = Markup("")
    codes: list[str] = []
    said: str = ""
    trouble: bool = False
    may_see_users: bool = False
    provider: str = ""
    least: int = PASSWORD_MIN


class UsersView(msgspec.Struct, frozen=True, kw_only=True):
    """All users; `link` is one to set a password by, shown this once, for the user called `link_of`."""

    users: list[User]
    roles: tuple[Role, ...] = ROLES
    may_change: bool = False
    link: str = ""
    link_of: str = ""
    said: str = ""
    trouble: bool = False


class Render(Protocol):
    """Makes a page of a template."""

    def __call__(self, request: Request, name: str, title: str, view: Any, status: int, is_open: bool) -> Response:
        """Return the page; `is_open` if it is for somebody with a session."""
        ...


class Entrance:
    """The pages; `render` makes them, `trouble` the page of an error."""

    def __init__(
        self,
        door: Door,
        accounts: Accounts,
        notary: Notary,
        render: Render,
        trouble: Callable[[LivepostError], Response],
        rules: Rules,
        provider: Provider | None = None,
    ) -> None:
        self._door = door
        self._accounts = accounts
        self._notary = notary
        self._render = render
        self._trouble = trouble
        self._rules = rules
        self._sign_in = None if provider is None else SignIn(provider, accounts, notary)

    def routes(self) -> list[Route]:
        """Return the routes."""
        both = {
            "/login": (self._login_page, self._login),
            "/login/code": (self._code_page, self._code),
            "/welcome/{word}": (self._first_page, self._first),
            "/account": (self._account_page, self._account),
            "/users": (self._users_page, self._users),
        }
        away = {"/login/oidc": self._to_provider, "/login/oidc/back": self._from_provider} if self._sign_in else {}
        shown = [Route(path, self._safe(get), methods=["GET"]) for path, (get, _) in both.items()]
        shown += [Route(path, self._safe(get), methods=["GET"]) for path, get in away.items()]
        return shown + [Route(path, self._safe(post), methods=["POST"]) for path, (_, post) in both.items()]

    def _safe(self, work: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                require_own(request)
                return await work(request)
            except LivepostError as error:
                return self._trouble(error)

        return endpoint

    # Login

    async def _login_page(self, request: Request) -> Response:
        if self._door.session(request):
            return RedirectResponse("/", 303)
        return self._login_form(request)

    async def _login(self, request: Request) -> Response:
        told = await fields_of(LoginTold, request)
        try:
            entered = await run_in_threadpool(self._accounts.log_in, told.email, told.password, _address(request))
        except (RejectedError, OverloadedError) as error:
            await self._notary.note(NOBODY, Deed("login.failed"))
            return self._login_form(request, error)
        if entered.second:
            return ask_for_code(request, RedirectResponse("/login/code", 303), entered.word)
        return await self._entered(request, entered.user, entered.word)

    def _login_form(self, request: Request, error: LivepostError | None = None) -> Response:
        said = "" if error is None else _sentence(error)
        view = FormView(said=said, trouble=bool(said), provider=self._sign_in.name if self._sign_in else "")
        return self._form(request, "login", "Log in", view, 200 if error is None else _status(error))

    async def _to_provider(self, request: Request) -> Response:
        assert self._sign_in is not None
        try:
            return await self._sign_in.leave(request, _address(request))
        except LivepostError as error:
            return self._login_form(request, error)

    async def _from_provider(self, request: Request) -> Response:
        assert self._sign_in is not None
        try:
            word = await self._sign_in.come_back(request, _address(request))
        except LivepostError as error:
            await self._notary.note(NOBODY, Deed("login.failed"))
            return self._login_form(request, error)
        # A redirect from here would still be the other site's doing, for which a browser keeps a strict cookie back.
        page = self._form(request, "signed_in", "You are signed in", FormView())
        page.headers["Refresh"] = "0; url=/"
        return let_in(request, page, word)

    async def _code_page(self, request: Request) -> Response:
        return self._form(request, "code", "Your code", FormView())

    async def _code(self, request: Request) -> Response:
        told, word = await fields_of(CodeTold, request), waiting_word(request)
        try:
            entered = await run_in_threadpool(self._accounts.second, word, told.code, _address(request))
        except (RejectedError, OverloadedError) as error:
            await self._notary.note(NOBODY, Deed("login.failed"))
            return self._form(
                request, "code", "Your code", FormView(said=_sentence(error), trouble=True), _status(error)
            )
        return await self._entered(request, entered.user, entered.word)

    async def _first_page(self, request: Request) -> Response:
        user = await run_in_threadpool(self._accounts.invited, request.path_params["word"])
        return self._form(request, "welcome", "Choose a password", FormView(name=user.name))

    async def _first(self, request: Request) -> Response:
        word, told = request.path_params["word"], await fields_of(FirstTold, request)
        user = await run_in_threadpool(self._accounts.invited, word)
        await self._notary.note(by_user(user.id), Deed("user.password_set", about=user.id))
        try:
            entered = await run_in_threadpool(self._accounts.accept, word, told.password)
        except (RejectedError, OverloadedError) as error:
            view = FormView(said=_sentence(error), trouble=True, name=user.name)
            return self._form(request, "welcome", "Choose a password", view, _status(error))
        return await self._entered(request, entered.user, entered.word)

    async def _entered(self, request: Request, user: User, word: str) -> Response:
        await self._notary.note(by_user(user.id), Deed("session.begun"))
        return let_in(request, RedirectResponse("/", 303), word)

    def _form(self, request: Request, name: str, title: str, view: FormView, status: int = 200) -> Response:
        return self._render(request, name, title, view, status, False)

    # My account

    async def _account_page(self, request: Request) -> Response:
        session = self._door.require_session(request)
        return self._my_account(request, await run_in_threadpool(self._account_view, session))

    async def _account(self, request: Request) -> Response:
        session = self._door.require_session(request)
        told = await fields_of(AccountTold, request)
        if session.user is None:
            raise RejectedError("this session came of a one-time link and has no account", code="no_user", status=403)
        await self._notary.note(by_user(session.user), Deed(f"account.{told.act}", about=told.session or ""))
        try:
            return await run_in_threadpool(self._change, request, session, session.user, told)
        except (RejectedError, OverloadedError) as error:
            view = await run_in_threadpool(self._account_view, session)
            failed = msgspec.structs.replace(view, said=_sentence(error), trouble=True)
            return self._my_account(request, failed, _status(error))

    def _change(self, request: Request, session: Session, user: str, told: AccountTold) -> Response:
        accounts, address = self._accounts, _address(request)
        if told.act == "end":
            accounts.sessions.end_of(user, told.session or "")
            return RedirectResponse("/account", 303)
        if told.act == "second":
            enrolling = accounts.enrol(user, told.old, address)
            view = msgspec.structs.replace(
                self._account_view(session),
                enrolling=enrolling,
                picture=Markup(enrolling.picture),  # noqa: S704 - segno drew it
            )
            return self._my_account(request, view)
        if told.act == "confirm":
            word, codes = accounts.confirm_second(user, told.code)
            return self._again(request, word, "Your second factor is on.", codes)
        if told.act == "drop":
            word = accounts.drop_second(user, told.old, address)
            return self._again(request, word, "Your second factor is off.")
        word = accounts.change_password(user, told.old, told.new, address)
        return self._again(request, word, "Your password is changed; all other sessions have ended.")

    def _again(self, request: Request, word: str, said: str, codes: list[str] | None = None) -> Response:
        """Show the account to the session that took the place of the one before."""
        session = self._accounts.session(word)
        assert session is not None
        view = msgspec.structs.replace(self._account_view(session), said=said, codes=codes or [])
        return let_in(request, self._my_account(request, view), word)

    def _account_view(self, session: Session) -> AccountView:
        may_see = self._rules.may(principal_of(session), SEES_USERS)
        if session.user is None:
            return AccountView(user=None, session=session, may_see_users=may_see)
        return AccountView(
            user=self._accounts.users.get(session.user),
            session=session,
            sessions=self._accounts.sessions.of(session.user, self._accounts.now_ms()),
            provider=self._provider_of(session.user),
            codes_left=self._accounts.users.recovery_codes_left(session.user),
            may_see_users=may_see,
        )

    def _provider_of(self, user: str) -> str:
        return self._sign_in.name if self._sign_in and self._accounts.users.is_bound(user) else ""

    def _my_account(self, request: Request, view: AccountView, status: int = 200) -> Response:
        return self._render(request, "account", "My account", view, status, True)

    # Users

    async def _users_page(self, request: Request) -> Response:
        who = self._door.require(request)
        self._rules.require(who, SEES_USERS)
        return self._all_users(request, await run_in_threadpool(self._users_view, who))

    async def _users(self, request: Request) -> Response:
        who = self._door.require(request)
        self._rules.require(who, CHANGES_USERS)
        told = await fields_of(UserTold, request)
        try:
            changed = None if told.act == "add" else await run_in_threadpool(self._accounts.users.get, told.user)
            require_above(who, *([changed.role] if changed else []), *([told.role] if told.act in GIVING else []))
            await self._notary.note(who.by, Deed(f"user.{told.act}", about=changed.id if changed else told.role))
            view = await run_in_threadpool(self._changed, request, who, told)
        except RejectedError as error:
            failed = await run_in_threadpool(self._users_view, who)
            view = msgspec.structs.replace(failed, said=_sentence(error), trouble=True)
            return self._all_users(request, view, error.status)
        return self._all_users(request, view)

    def _changed(self, request: Request, who: Principal, told: UserTold) -> UsersView:
        accounts, users, word = self._accounts, self._accounts.users, ""
        if told.act == "add":
            _, word = accounts.add(told.name, told.email, told.role)
        elif told.act == "role":
            users.set_role(told.user, told.role)
        elif told.act == "reset":
            word = accounts.reset(told.user)
        elif told.act == "remove":
            users.remove(told.user)
        else:
            users.disable(told.user, disabled=told.act == "disable")
        link_of = told.name if told.act == "add" else users.get(told.user).name if word else ""
        link = f"{str(request.base_url).rstrip('/')}/welcome/{word}" if word else ""
        return msgspec.structs.replace(self._users_view(who), link=link, link_of=link_of, said="" if link else "Done.")

    def _users_view(self, who: Principal) -> UsersView:
        roles = tuple(role for role in ROLES if who.role == "owner" or role not in ABOVE)
        return UsersView(
            users=self._accounts.users.all(),
            may_change=self._rules.may(who, CHANGES_USERS),
            roles=roles,
        )

    def _all_users(self, request: Request, view: UsersView, status: int = 200) -> Response:
        return self._render(request, "users", "Users", view, status, True)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _sentence(error: LivepostError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _status(error: LivepostError) -> int:
    return error.status if isinstance(error, RejectedError) else 503
