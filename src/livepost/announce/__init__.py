"""Announce: tell other programs what happens, by webhooks.

In: what happened, in order, from a source that `runtime` hands in. Out: signed requests by `fetch`; places, waits and
dead letters in `webhooks.db`. Promised: at least once and in order for each target, under one id however often; a
target's place moves on when it has the message, so that a kill repeats at most what was under way.
"""
