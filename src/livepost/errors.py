"""Errors are help: what was expected, what came, where, and what to do next, with the data as attributes.

Every error that Livepost raises on purpose derives from `LivepostError`; anything else is a bug.
"""

from __future__ import annotations


class LivepostError(Exception):
    """Base of all errors raised on purpose; `str(error)` is one sentence a person can act on."""


class SettingsError(LivepostError):
    """A setting is unknown, malformed or refers to a secret that is not there."""


class ProjectError(LivepostError):
    """What an author declared cannot be compiled; `where` is `file:line` when known."""

    def __init__(self, message: str, where: str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class StoreError(LivepostError):
    """A store cannot be opened, read or written; nothing was acknowledged."""


class OutcomeUnknownError(StoreError):
    """A write failed in a way that leaves open whether it is on disk (EIO at fsync).

    The writer must stop, recover and deduplicate (SEMANTICS: "a write error is not a rollback").
    """


class HeldError(StoreError):
    """Another process has the store open, and only one may."""


class FencedError(StoreError):
    """A lease was lost to a later holder; the late writer's change was refused."""


class SealError(LivepostError):
    """A sealed value cannot be opened: its key is gone (the person was forgotten) or it was tampered with."""


class RejectedError(LivepostError):
    """A client's input is refused; `status` is the HTTP status and `code` a short machine word."""

    def __init__(self, message: str, *, code: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class OverloadedError(LivepostError):
    """A bounded queue is full; try again after `retry_after_s` seconds."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
