"""Corrections of a call, one place at a time: `properties.total=12.5` sets a value, `properties.foo` unsets one.

In come a decoded call and what is to be changed, out goes a changed copy. A value is read as JSON, else as text.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import msgspec

from livepost.errors import LivepostError
from livepost.intake.call import MAX_DEPTH, json_name

EDITS_MAX = 1_000
"""Corrections at a time."""


class CorrectionError(LivepostError):
    """A correction names a place that the call does not have or cannot have, or there are too many."""


def edited(call: Any, sets: Sequence[str], unsets: Sequence[str]) -> Any:
    """Return the call with values set and then others unset; raise CorrectionError for a place that cannot be.

    >>> edited({"properties": {"totl": "12.5"}}, ["properties.total=12.5", "userId=ada"], ["properties.totl"])
    {'properties': {'total': 12.5}, 'userId': 'ada'}
    """
    if len(sets) + len(unsets) > EDITS_MAX:
        raise _refused(
            f"at most {EDITS_MAX} corrections", f"{len(sets) + len(unsets)}", "give the whole call in a file"
        )
    if not isinstance(call, dict):
        raise _refused("a call that is an object", json_name(call), "give the whole call in a file")
    changed = copy.deepcopy(call)
    for correction in sets:
        path, equals, value = correction.partition("=")
        if not equals:
            raise _refused("a place and a value, such as properties.total=12.5", "no `=`", "write both")
        keys = _keys(path)
        _below(changed, keys, making=True)[keys[-1]] = _value(value)
    for path in unsets:
        keys = _keys(path)
        holder = _below(changed, keys, making=False)
        if keys[-1] not in holder:
            raise _refused(f"something at `{path}`", "nothing", "look at the call's own names")
        del holder[keys[-1]]
    return changed


def _keys(path: str) -> list[str]:
    keys = path.split(".")
    if not all(keys) or len(keys) > MAX_DEPTH:
        raise _refused("a place such as properties.total", "one with an empty or no name", "name each part")
    return keys


def _below(call: dict[str, Any], keys: list[str], *, making: bool) -> dict[str, Any]:
    """Return the object that holds the last key; on the way, objects that are not there are made or are empty."""
    for depth, key in enumerate(keys[:-1], start=1):
        inner = call.get(key)
        if inner is None:
            inner = {}
            if making:
                call[key] = inner
        if not isinstance(inner, dict):
            raise _refused(f"an object at `{'.'.join(keys[:depth])}`", json_name(inner), "set the whole of it, as JSON")
        call = inner
    return call


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text.encode())
    except (ValueError, RecursionError):
        return text


def _refused(expected: str, got: str, hint: str) -> CorrectionError:
    return CorrectionError(f"expected {expected}, got {got}; {hint}")
