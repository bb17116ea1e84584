"""Fields as SQL reads them from a record's open properties and facets, which are one JSON column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from livepost.model.compiled import Compiled, FieldType

Types = Mapping[tuple[str, str], FieldType]
"""(event, field) -> declared type."""

READINGS: dict[FieldType, str] = {
    "str": "json_extract_string(open, {path})",
    "int": "CAST(json_extract_string(open, {path}) AS BIGINT)",
    "datetime": "CAST(json_extract_string(open, {path}) AS BIGINT)",
    "float": "CAST(json_extract_string(open, {path}) AS DOUBLE)",
    "bool": "CAST(CAST(json_extract_string(open, {path}) AS BOOLEAN) AS BIGINT)",
    "money": "CAST(json_extract_string(open, {path}) AS BIGINT)",
}
"""How a value is read that can be compared or summed: text or a number. Lists and JSON can be neither."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: SQL that is NULL for never, whether it is text (else a number) and a `since`.

    `unknown` says that it is a DOUBLE that may be NaN, which stands for what cannot be told.
    """

    sql: str
    text: bool
    since: bool = False
    unknown: bool = False


def types_of(compiled: Compiled) -> Types:
    """Return the declared type of every field of every event."""
    return {(event.name, field.name): field.type for event in compiled.events for field in event.fields}


def type_of(types: Types, event: str, field: str) -> FieldType:
    """Return the type of an open field of an event; facets, whose names have a dot, are text."""
    return "str" if "." in field else types[event, field]


def path_of(field: str, type_: FieldType) -> str:
    """Return the JSON pointer (RFC 6901) of a field's value; of money, of its minor units."""
    pointer = "/" + field.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/0" if type_ == "money" else pointer
