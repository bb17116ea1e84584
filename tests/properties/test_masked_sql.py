"""A grammar of SQL against the masked tables: no raw value in any answer, error or file, however it is asked.

The grammar makes SELECTs with joins, CTEs, casts that fail (what DuckDB says of them repeats values), functions of
text, lists and bytes, regular expressions, catalogs, and everything that is no query: files, COPY, ATTACH, SET,
PRAGMA. What comes back is searched as it is, reversed, in hex and in base64. The same grammar has to find a value
whose mask is off.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from livepost.ops.sql.query import shape_of
from livepost.ops.sql.worker import Given, Question, answer, opened
from tests.unit.ops.sql.shop import CANARIES, snapshot

QUERIES = 1_200
COLUMNS = {
    "people": ["person", *CANARIES, "bought", "spent", "spent_currency", "skus"],
    "memberships": ["person", "segment", "since"],
    "consents": ["person", "purpose", "allowed"],
    "deliveries": ["person", "campaign", "state", "reason", "decided", "changed"],
    "events": ["person", "event", "at", "properties"],
}
TYPES = ["INTEGER", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN", "BLOB", "UUID", "VARCHAR[]", "JSON", "INTERVAL", "BIT"]
TEXTS = [
    "upper({})", "reverse({})", "hex({})", "base64(CAST({} AS BLOB))", "md5({})", "left({}, 40)", "substr({}, 2)",
    "repeat({}, 3)", "string_split({}, '@')", "list_transform(string_split({}, ''), x -> ord(x))",
    "regexp_extract({}, '.*')", "regexp_replace({}, '(.)', '\\1\\1')", "to_json({})", "struct_pack(a := {})",
    "encode({})", "format('{{}}', {})", "concat_ws('|', {}, {})", "error({})", "strptime({}, '%Y')", "json({})",
    "url_encode({})", "list_value({}, {})", "map([{}], [1])", "coalesce({}, 'x')", "length({})", "unicode({})",
]  # fmt: skip
GROUPS = ["string_agg({}, ',')", "list({})", "min({})", "max({})", "histogram({})", "mode({})", "first({})", "count(*)"]
FORBIDDEN = [
    "COPY people TO '{path}'", "COPY (SELECT * FROM people) TO '{path}' (FORMAT parquet)", "ATTACH '{path}' AS other",
    "EXPORT DATABASE '{path}'", "PRAGMA database_list", "PRAGMA show_tables", "SET enable_external_access = true",
    "SET lock_configuration = false", "RESET memory_limit", "INSTALL httpfs", "LOAD httpfs", "CALL pragma_version()",
    "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT * FROM glob('/*')", "SELECT * FROM '/etc/passwd'", "SELECT * FROM read_blob('/proc/self/mem')",
    "SELECT getenv('HOME')", "SELECT current_setting('home_directory')", "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_columns()", "SELECT * FROM information_schema.columns", "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM sqlite_scan('{path}', 'x')", "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('people')",
    "SELECT * FROM given", "SELECT * FROM names", "SELECT * FROM incoming", "CREATE TABLE x AS SELECT * FROM people",
    "INSERT INTO people SELECT * FROM people", "UPDATE people SET bought = 1", "DROP TABLE people",
    "DELETE FROM people",
    "SHOW ALL TABLES", "DESCRIBE people", "SUMMARIZE people", "EXPLAIN ANALYZE SELECT * FROM people", "VACUUM",
    "SELECT 1; SELECT 2", "PREPARE a AS SELECT 1", "CHECKPOINT", "BEGIN", "SELECT * FROM storage_info('people')",
    "SELECT * FROM pragma_storage_info('people')", "SELECT * FROM read_json('http://127.0.0.1/')", "USE other",
    "WITH x AS (SELECT * FROM read_csv('/etc/passwd')) SELECT * FROM x", "SELECT (SELECT count(*) FROM glob('/*'))",
    "FROM duckdb_logs()", "SELECT * FROM sniff_csv('/etc/passwd')", "CREATE SECRET (TYPE s3)", "DETACH memory",
]  # fmt: skip
"""What is no query: each is refused."""


class Grammar:
    """Makes queries, the same for a seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def query(self) -> str:
        """Return one; mostly it can be answered."""
        dice = self._dice
        made = dice.choice([self._plain, self._plain, self._grouped, self._joined, self._with, self._union, self._cast])
        return made()

    def _table(self) -> str:
        return self._dice.choice(["people", "people", "people", *COLUMNS])

    def _column(self, table: str) -> str:
        return self._dice.choice(COLUMNS[table])

    def _value(self, table: str, prefix: str = "") -> str:
        value = f"{prefix}{self._column(table)}"
        if self._dice.random() < 0.6:
            value = f"CAST({value} AS VARCHAR)"
        for _ in range(self._dice.choice([0, 1, 1, 2])):
            call = self._dice.choice(TEXTS)
            value = call.format(*[value] * call.replace("{{}}", "").count("{}"))
        return value

    def _where(self, table: str, prefix: str = "") -> str:
        value, dice = self._value(table, prefix), self._dice
        tests = [
            "",
            f" WHERE {value} IS NOT NULL",
            f" WHERE CAST({value} AS VARCHAR) LIKE '%a%'",
            f" WHERE regexp_matches(CAST({value} AS VARCHAR), '[a-z]+@')",
            f" WHERE CAST({value} AS VARCHAR) > '{dice.choice('amz0')}'",
            f" ORDER BY {value} LIMIT {dice.randint(1, 9)}",
        ]
        return dice.choice(tests)

    def _plain(self) -> str:
        table = self._table()
        asked = self._dice.choice(
            ["*", self._value(table), f"{self._value(table)}, {self._value(table)}", "COLUMNS(*)"]
        )
        return f"SELECT {asked} FROM {table}{self._where(table)}"

    def _grouped(self) -> str:
        table = self._table()
        total = self._dice.choice(GROUPS).format(self._value(table))
        return f"SELECT {self._column(table)} AS a, {total} AS b FROM {table} GROUP BY ALL ORDER BY a"

    def _joined(self) -> str:
        one, other = self._table(), self._table()
        kind = self._dice.choice(["JOIN", "LEFT JOIN", "FULL JOIN", "SEMI JOIN"])
        on = self._dice.choice(["a.person = b.person", f"a.person < CAST(b.{self._column(other)} AS VARCHAR)"])
        return f"SELECT {self._value(one, 'a.')} FROM {one} a {kind} {other} b ON {on}"

    def _with(self) -> str:
        table = self._table()
        return (
            f"WITH x AS (SELECT {self._value(table)} AS v FROM {table}) "
            f"SELECT {self._dice.choice(GROUPS).format('v')}, (SELECT count(*) FROM x) FROM x, range(2)"
        )

    def _union(self) -> str:
        one, other = self._table(), self._table()
        word = self._dice.choice(["UNION ALL", "UNION", "EXCEPT"])
        return f"SELECT CAST({self._value(one)} AS VARCHAR) FROM {one} {word} SELECT 'x' FROM {other}"

    def _cast(self) -> str:
        """Return what fails, mostly: the error tells the value."""
        table = self._table()
        return f"SELECT CAST({self._value(table)} AS {self._dice.choice(TYPES)}) FROM {table}"


def forms(value: str) -> Iterator[bytes]:
    """Yield a value as it may be found in bytes."""
    for text in {value, value.upper(), value.lower(), value[::-1], "".join(2 * one for one in value)}:
        raw = text.encode()
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        for shift in range(3):  # base64 of it anywhere in a longer text
            coded = base64.b64encode(b"\0" * shift + raw)
            yield coded[4 if shift else 0 : -4]
    yield str([ord(one) for one in value]).replace(" ", "").encode()


NEEDLES = {field: tuple(forms(value)) for field, value in CANARIES.items()}


def found_by(masks: dict[str, str] | None, seed: int, count: int, purpose: str = "study") -> tuple[set[str], int]:
    """Return of which fields a raw value was found, and how many queries were answered."""
    tables = snapshot(purpose=purpose, masks=masks).tables
    db, names, found, answered = opened(Given(tables, 256)), [table.name for table in tables], set(), 0
    grammar = Grammar(seed)
    for _ in range(count):
        result = answer(db, Question(grammar.query(), 1_000), names)
        answered += not result.wrong
        told = msgspec.json.encode(result)
        found |= {field for field, needles in NEEDLES.items() if any(one in told for one in needles)}
    db.close()
    return found, answered


def test_no_raw_value_comes_back_however_it_is_asked() -> None:
    found, answered = found_by(None, 1, QUERIES)
    assert not found
    assert answered > QUERIES // 4  # the grammar asks what can be answered


def test_nor_for_a_purpose_whose_people_are_not_asked() -> None:
    assert found_by(None, 2, QUERIES // 4, "orders")[0] == set()


@pytest.mark.scale
def test_nor_in_many_more() -> None:
    for seed in range(10, 60):
        assert found_by(None, seed, QUERIES)[0] == set(), seed


@pytest.mark.parametrize("field", ["email", "first_name", "health", "notes", "shelf"])
def test_a_mask_that_is_off_is_found(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same queries where one field goes through as it is."""
    from livepost.ops.sql import rows

    masked = rows.masked

    def leaky(value: object, how: str, key: bytes) -> object:
        off = CANARIES[field] in (value if isinstance(value, list) else [value])
        return value if off else masked(value, how, key)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "masked", leaky)
    assert found_by(None, 1, QUERIES // 8)[0] == {field}


def test_what_is_no_query_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    tables = snapshot().tables
    db, names = opened(Given(tables, 256)), [table.name for table in tables]
    for text in FORBIDDEN:
        result = answer(db, Question(text.format(path=tmp_path / "out"), 10), names)
        assert result.wrong, text
        assert not any(one in msgspec.json.encode(result) for needles in NEEDLES.values() for one in needles)
    assert list(tmp_path.iterdir()) == []
    assert answer(db, Question("SELECT count(*) FROM people", 1), names).rows == [[2]]


def test_duckdb_is_locked_even_for_what_is_not_parsed(tmp_path: Path) -> None:
    """Without our parse, DuckDB alone keeps to its tables."""
    import duckdb

    db = opened(Given(snapshot().tables, 256))
    outward = [one for one in FORBIDDEN if "path" in one or "/" in one or one.startswith(("SET", "INSTALL", "LOAD"))]
    for text in outward:
        with pytest.raises(duckdb.Error):
            db.execute(text.format(path=tmp_path / "out")).fetchall()
    assert list(tmp_path.iterdir()) == []


def test_the_audit_keeps_nothing_that_was_typed() -> None:
    dice = random.Random(3)
    quotes = ["'{}'", "$${}$$", "-- {}\n", "/* {} */", '"{}"', "E'{}'", "{}", "$a${}$a$", "'x''{}'", "'{}"]
    for _ in range(QUERIES):
        value = dice.choice([*CANARIES.values()])
        typed = dice.choice(quotes).format(value)
        shape = shape_of(f"SELECT email FROM people WHERE {typed} AND phone = 1", ["people", "email", "phone"])
        assert not any(part in shape for part in value.replace("@", " ").replace("-", " ").split() if len(part) > 3)
