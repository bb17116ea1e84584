"""Which SQL is a query of these tables: one SELECT over them, in which nothing is read from elsewhere.

In: DuckDB's own parse of a text (`json_serialize_sql`). Out: the tables it names, or why not. Promised: pure; a kind of
table that is not named here is refused. What a query may not name is not there either: this keeps the host's settings
and DuckDB's catalog from being told, and says so in words that help.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from livepost.errors import RejectedError

MAX_CHARS = 20_000
"""Of a query."""

FUNCTIONS = frozenset(("unnest", "range", "generate_series"))
"""Table functions that make rows of what they are given."""

UNTOLD = frozenset(("current_setting", "getenv", "getvariable", "current_query"))
"""Functions that tell of the process and not of the tables."""

SHAPE_CHARS = 130

_CONSTANT = re.compile(r"--[^\n]*|/\*.*?\*/|(?:[eE]|\b[xX])?'(?:[^']|'')*'?|\$\w*\$.*", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"?')
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|[0-9][\w.]*|\S")
_WORDS = """
select from where group by order having limit offset with as recursive join left right full inner outer
cross on using union all intersect except distinct and or not in is null like ilike between case when then
else end asc desc count sum avg min max filter over partition qualify cast true false exists unnest values
lateral
"""
_SPOKEN = frozenset(_WORDS.split())
"""Words of SQL that the audit keeps."""


def tables_of(told: dict[str, Any], known: Collection[str]) -> tuple[str, ...]:
    """Return the tables a parsed text reads, in alphabetical order; raise RejectedError unless it is one query."""
    if told.get("error"):
        raise _refused(str(told.get("error_message", "it cannot be read"))[:500])
    statements = told.get("statements", ())
    if len(statements) != 1:
        raise _refused(f"expected one SELECT, got {len(statements)} statements")
    nodes = list(_nodes(statements))
    given = {str(node["key"]).lower() for node in nodes if "key" in node and isinstance(node.get("value"), dict)}
    used = {name for node in nodes for name in _table(node, {*known}, given)}
    return tuple(sorted(used))


def shape_of(query: str, known: Collection[str]) -> str:
    """Return what a query asks without what was typed into it: constants, comments and names of no column are `?`.

    It goes into the audit, which keeps no person's values, whoever types them.

    >>> shape_of("SELECT city FROM people -- ada\\nWHERE name = 'ada@example.com' AND age > 41", ["people", "city"])
    'SELECT city FROM people WHERE ? = ? AND ? > ?'
    """
    named = {name.lower() for name in known} | _SPOKEN
    text = _QUOTED.sub(" ? ", _CONSTANT.sub(lambda found: " " if found[0][:2] in ("--", "/*") else " ? ", query))
    words = [_said(word, named) for word in _WORD.findall(text)]
    return " ".join(words)[:SHAPE_CHARS]


def _said(word: str, named: Collection[str]) -> str:
    if word.lower() in named or (len(word) == 1 and word.isascii() and not word.isalnum()):
        return word
    return "?"


def _table(node: dict[str, Any], known: set[str], given: set[str]) -> Iterator[str]:
    """Yield the table that a node of the parse reads; raise RejectedError for one that may not be."""
    kind = node.get("type")
    if kind == "BASE_TABLE":
        name = str(node.get("table_name", "")).lower()
        if node.get("catalog_name") or node.get("schema_name") not in ("", "main") or name not in known | given:
            raise _refused(f"expected one of the tables {', '.join(sorted(known))}, got another name")
        if name in known:
            yield name
    elif kind == "TABLE_FUNCTION":
        name = str((node.get("function") or {}).get("function_name", "")).lower()
        if name not in FUNCTIONS:
            raise _refused(f"expected tables, or {', '.join(sorted(FUNCTIONS))}, got another table function")
    elif kind == "SHOW_REF":
        raise _refused("expected a SELECT, got SHOW, DESCRIBE or SUMMARIZE; `livepost sql --tables` lists columns")
    elif node.get("class") == "FUNCTION" and str(node.get("function_name", "")).lower() in UNTOLD:
        raise _refused("expected functions of values, got one that tells of the process")


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of the parse."""
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one


def _refused(words: str) -> RejectedError:
    return RejectedError(f"this is no query that can be answered: {words}", code="sql")
