"""`Query` as SQL: the closed vocabulary over expression indexes on the body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.ports import Query, Where
from shared.records import Index

_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def column(field: str) -> str:
    """How a field is spelled in SQL; indexes and searches must spell it alike, or SQLite will not match them."""
    return "id" if field == "id" else f"json_extract(body, '$.{field}')"


def search(table: str, indexes: Sequence[Index], query: Query) -> tuple[str, list[Any]]:
    """The statement that answers this query with (id, version, body), and its parameters.

    Raises ValueError for a search that no declared index serves, or words outside the vocabulary.
    """
    _check(indexes, query)
    parts: list[str] = []
    values: list[Any] = []
    for sql, given in (*map(_condition, query.where), *_behind(query)):
        parts.append(sql)
        values.extend(given)
    direction = "DESC" if query.descending else "ASC"
    # SQLite would sort again by a field that the condition has fixed already.
    fixed = query.order == "id" or (query.order, "equal") in [where[:2] for where in query.where]
    order = f"id {direction}" if fixed else f"{column(query.order)} {direction}, id {direction}"
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    sql = f'SELECT id, version, body FROM "{table}"{where} ORDER BY {order} LIMIT ?'
    return sql, [*values, query.limit]


def _check(indexes: Sequence[Index], query: Query) -> None:
    declared = {"id"}.union(*(index.fields for index in indexes))
    leading = {"id"}.union(index.fields[0] for index in indexes)
    asked = [where.field for where in query.where]
    if unknown := [field for field in (*asked, query.order) if field not in declared]:
        raise ValueError(f"no declared index holds {', '.join(unknown)}")
    if asked and not leading.intersection(asked):
        raise ValueError(f"no declared index begins with one of {', '.join(asked)}")
    if query.limit < 1:
        raise ValueError("a search needs a limit of at least 1")


def _condition(where: Where) -> tuple[str, list[Any]]:
    name, value = column(where.field), where.value
    match where.test:
        case "equal":
            return (f"{name} IS NULL", []) if value is None else (f"{name} = ?", [_scalar(value)])
        case "one_of":
            if not isinstance(value, tuple):
                raise ValueError("one_of takes a tuple")
            return f"{name} IN ({', '.join('?' * len(value))})", [_scalar(one) for one in value]
        case "at_least":
            return f"{name} >= ?", [_scalar(value)]
        case "at_most":
            return f"{name} <= ?", [_scalar(value)]
        case "prefix":
            if not isinstance(value, str):
                raise ValueError("prefix is for text")
            return _prefix(name, value)
    raise ValueError(f"no test is called {where.test}")


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int):
        raise ValueError(f"{type(value).__name__} is neither text, integer nor boolean")
    return value


def _prefix(name: str, prefix: str) -> tuple[str, list[Any]]:
    """Everything from the prefix up to, not including, the first text that sorts behind all texts with it."""
    head = prefix.rstrip(chr(_LAST_CHARACTER))
    if not head:
        return f"{name} >= ?", [prefix]
    following = ord(head[-1]) + 1
    if following in _SURROGATES:
        following = _SURROGATES.stop
    return f"{name} >= ? AND {name} < ?", [prefix, head[:-1] + chr(following)]


def _behind(query: Query) -> list[tuple[str, list[Any]]]:
    """The condition that leaves out the pages before. None sorts before everything else."""
    if query.after is None:
        return []
    value, id = query.after
    name, beyond = column(query.order), "<" if query.descending else ">"
    if query.order == "id":
        return [(f"id {beyond} ?", [id])]
    if value is None:
        rest = "" if query.descending else f" OR {name} IS NOT NULL"
        return [(f"(({name} IS NULL AND id {beyond} ?){rest})", [id])]
    rest = f" OR {name} IS NULL" if query.descending else ""
    return [(f"({name} {beyond} ? OR ({name} = ? AND id {beyond} ?){rest})", [value, value, id])]
