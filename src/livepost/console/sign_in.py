"""Sign-in at a provider: a browser is sent there, and comes back with a code.

In: requests of browsers that left and came back. Out: where to send them, words of sessions. Promised: who comes back
is the browser that left, once; nothing of the provider's words is shown; what is said in an address is in no audit.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from livepost.audit.deed import Deed, Notary, by_user
from livepost.console.door import attempt_word, send_away
from livepost.errors import RejectedError
from livepost.fetch.address import OutgoingError
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.oidc.attempts import Attempt, Attempts
from livepost.govern.login.oidc.id_token import Identity, OidcError
from livepost.govern.login.oidc.provider import Provider

WORD_CHARS_MAX = 2_000
_ERROR = re.compile(r"[a-z_]{1,40}")


class SignIn:
    """The way to one provider and back."""

    def __init__(self, provider: Provider, accounts: Accounts, notary: Notary) -> None:
        self._provider = provider
        self._accounts = accounts
        self._notary = notary
        self._attempts = Attempts()

    @property
    def name(self) -> str:
        """What people call the provider."""
        return self._provider.name

    async def leave(self, request: Request, address: str) -> Response:
        """Send a browser to the provider; raise RejectedError (503) if that cannot be asked, (403) for another site."""
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise _refused("press the button of this page; another site sent you here", HTTPStatus.FORBIDDEN)
        attempt = self._attempts.begin(address, self._accounts.now_ms())
        try:
            way = await run_in_threadpool(self._provider.way_to, attempt)
        except (OidcError, OutgoingError) as error:
            raise _unreachable(error) from error
        return send_away(request, RedirectResponse(way, HTTPStatus.SEE_OTHER), attempt.word)

    async def come_back(self, request: Request, address: str) -> str:
        """Return the word of a new session for who came back.

        Raises RejectedError: 401 for who proves nothing or is nobody here, 429 for too many tries, 503 if the provider
        cannot be asked.
        """
        told = {name: value[:WORD_CHARS_MAX] for name, value in request.query_params.items()}
        attempt = self._attempts.take(told.get("state", ""), attempt_word(request), self._accounts.now_ms())
        if attempt is None:
            raise _refused("this browser was not sent to the provider, or it took too long; sign in again")
        await run_in_threadpool(self._accounts.charge_sign_in, address)
        who = await run_in_threadpool(self._who, attempt, told)
        issuer = self._provider.issuer
        user, is_new = await run_in_threadpool(self._accounts.known_as, issuer, who)
        if is_new:
            await self._notary.note(by_user(user.id), Deed("user.bound", about=user.id))
        entered = await run_in_threadpool(self._accounts.sign_in, user, issuer, who, address)
        await self._notary.note(by_user(user.id), Deed("session.begun"))
        return entered.word

    def _who(self, attempt: Attempt, told: dict[str, str]) -> Identity:
        try:
            self._provider.check_issuer(told.get("iss", ""))
            if "error" in told or not told.get("code"):
                code = told.get("error", "")
                raise OidcError(
                    f"the provider did not sign you in ({code if _ERROR.fullmatch(code) else 'it does not say why'})"
                )
            return self._provider.identity(attempt, told["code"])
        except OidcError as error:
            raise _refused(str(error)) from error
        except OutgoingError as error:
            raise _unreachable(error) from error


def _refused(sentence: str, status: HTTPStatus = HTTPStatus.UNAUTHORIZED) -> RejectedError:
    return RejectedError(sentence, code="sign_in", status=status)


def _unreachable(error: Exception) -> RejectedError:
    return _refused(f"the provider cannot be asked: {error}", HTTPStatus.SERVICE_UNAVAILABLE)
