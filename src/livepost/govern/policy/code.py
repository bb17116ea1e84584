"""What an author's code does with personal values: plain hashes of them, and places that keep them.

In: Python as text, names of personal values. Out: lines. Promised: nothing is run; a value is followed through
assignments of a module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

HASHES = frozenset(
    ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s", "crc32")
)
LOGS = frozenset(("debug", "info", "warning", "error", "exception", "critical", "log"))
LOGGERS = frozenset(("logging", "logger", "log", "_log", "_logger"))


def plain_hashes(text: str, names: set[str]) -> Iterator[int]:
    """Yield the lines on which a personal value is hashed without a key; none of a text that is no Python."""
    tree = _parsed(text)
    known = _tainted(tree, names)
    hashers = {target for target, value in _assigned(tree) if isinstance(value, ast.Call) and _is_plain(value)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not any(_speaks(one, names, known) for one in _arguments(node)):
            continue
        updates = isinstance(node.func, ast.Attribute) and node.func.attr == "update"
        base = node.func.value if isinstance(node.func, ast.Attribute) else None
        fed = updates and ((isinstance(base, ast.Name) and base.id in hashers) or _is_plain_call(base))
        if _is_plain(node) or fed:
            yield node.lineno


def leaks(text: str, names: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines on which a personal value is printed, logged or put into a URL, with what happens there."""
    tree = _parsed(text)
    known = _tainted(tree, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_log(node) and any(_speaks(one, names, known) for one in _arguments(node)):
            yield node.lineno, "a personal value is written to a log"
        elif isinstance(node, ast.JoinedStr | ast.BinOp | ast.Call) and _is_url(node) and _speaks(node, names, known):
            yield node.lineno, "a personal value becomes part of a URL"


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(one.value for one in call.keywords)]


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and value is not None:
            yield from ((one.id, value) for one in targets if isinstance(one, ast.Name))


def _tainted(tree: ast.Module, names: set[str]) -> set[str]:
    """Return the variables that hold a personal value; a feature in the profile's class is none."""
    known: set[str] = set()
    inside = {id(node) for one in ast.walk(tree) if isinstance(one, ast.ClassDef) for node in one.body}
    pairs = [
        (name, value)
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and id(node) not in inside
        for name, value in _assigned(ast.Module(body=[node], type_ignores=[]))
        if not _is_declared(value)
    ]
    for _ in range(len(pairs)):
        before = len(known)
        known |= {name for name, value in pairs if _speaks(value, names, known)}
        if len(known) == before:
            break
    return known


def _is_declared(value: ast.expr) -> bool:
    """Say whether a value is a feature's declaration: `latest(Identified.first_name)`."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("latest", "first")


def _speaks(node: ast.AST, names: set[str], known: set[str]) -> bool:
    return any(
        (isinstance(one, ast.Attribute) and one.attr in names) or (isinstance(one, ast.Name) and one.id in known)
        for one in ast.walk(node)
    )


def _is_plain_call(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and _is_plain(node)


def _is_plain(call: ast.Call) -> bool:
    """Say whether a call makes a hash without a key."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    of_hashlib = isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "hashlib"
    if name == "hash" and isinstance(call.func, ast.Name):
        return True
    keyed = any(one.arg == "key" for one in call.keywords)
    return (name in HASHES or (of_hashlib and name in ("new", "file_digest"))) and not keyed


def _is_log(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "print"
    base = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(call.func, ast.Attribute) and call.func.attr in LOGS and getattr(base, "id", "") in LOGGERS


def _is_url(node: ast.AST) -> bool:
    """Say whether a text is put together that has the beginning of a URL in it."""
    if isinstance(node, ast.Call) and not (
        isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join")
    ):
        return False
    texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return any("://" in one for one in texts)
