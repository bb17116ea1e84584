"""Errors as people read them: what happened, what it means for mail and data, what to do.

In: an error. Out: words and a status. Promised: every error of a page has all three sentences.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from livepost.errors import LivepostError, RejectedError, StoreError

SAFE = "Mails and data are not affected: only this page could not be made."


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What a page of trouble says; `status` is the HTTP status; `passes` if it may be over in a moment."""

    status: int
    passes: bool = False
    title: str
    happened: str
    means: str
    todo: str


def trouble_of(error: LivepostError) -> Trouble:
    """Return what to say about an error."""
    if isinstance(error, RejectedError):
        return _refused(error)
    if isinstance(error, StoreError):
        return Trouble(
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            passes=True,
            title="The house does not answer just now",
            happened=str(error),
            means="Events are still taken and kept in the log; mails wait and go out when all runs again.",
            todo="This page tries again by itself. If it lasts, the terminal of `livepost run` says what ended.",
        )
    return Trouble(
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        title="This page could not be made",
        happened=str(error),
        means=SAFE,
        todo="The sentence above says what to change.",
    )


def still(told: Trouble) -> Trouble:
    """Return the same for what does not try again by itself: a page that is not live, a form."""
    if not told.passes:
        return told
    todo = "Reload the page in a moment. If it lasts, the terminal of `livepost run` says what ended."
    return msgspec.structs.replace(told, passes=False, todo=todo)


def missing(path: str) -> Trouble:
    """Return what to say about a page that is not there."""
    return Trouble(
        status=HTTPStatus.NOT_FOUND,
        title="There is no such page",
        happened=f"Nothing is at {path[:200]}.",
        means=SAFE,
        todo="The rail leads to all pages there are.",
    )


def _refused(error: RejectedError) -> Trouble:
    if error.status == HTTPStatus.UNAUTHORIZED:
        return Trouble(
            status=error.status,
            title="The console is closed",
            happened=f"{str(error)[:1].upper()}{str(error)[1:]}.",
            means="Nothing is shown to who has no session; mails and data go on as they do.",
            todo="Log in, or open the link that `livepost run` or `make run` printed. "
            "`livepost console` prints a new one.",
        )
    titles = {HTTPStatus.NOT_FOUND: "There is nothing here", HTTPStatus.FORBIDDEN: "This was not done"}
    return Trouble(
        status=error.status,
        title=titles.get(HTTPStatus(error.status), "This cannot be shown"),
        happened=f"{str(error)[:1].upper()}{str(error)[1:]}.",
        means=SAFE if error.status != HTTPStatus.FORBIDDEN else "Nothing was changed, and nothing is shown.",
        todo="Go back and ask for something else; the rail leads to all pages.",
    )
