"""`Query` as SQL: the closed vocabulary over the columns of indexed fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.ports import Query, Where
from shared.records import Index
from shared.searches import check, scalar, span


def column(field: str) -> str:
    """The column that holds a field: what stands in the body, said again for the indexes."""
    return "id" if field == "id" else f'"of {field}"'


def search(table: str, indexes: Sequence[Index], query: Query) -> tuple[str, list[Any]]:
    """The statement that answers this query with (id, version, body), and its parameters.

    Raises ValueError for a search that no declared index serves, or words outside the vocabulary.
    """
    check(indexes, query)
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


def _condition(where: Where) -> tuple[str, list[Any]]:
    name, value = column(where.field), where.value
    match where.test:
        case "equal":
            return (f"{name} IS NULL", []) if value is None else (f"{name} = ?", [scalar(value)])
        case "one_of":
            if not isinstance(value, tuple):
                raise ValueError("one_of takes a tuple")
            return f"{name} IN ({', '.join('?' * len(value))})", [scalar(one) for one in value]
        case "at_least":
            return f"{name} >= ?", [scalar(value)]
        case "at_most":
            return f"{name} <= ?", [scalar(value)]
        case "either":
            parts = [_condition(one) for one in value]
            return f"({' OR '.join(sql for sql, _ in parts)})", [v for _, values in parts for v in values]
        case "prefix":
            if not isinstance(value, str):
                raise ValueError("prefix is for text")
            return _prefix(name, value)
    raise ValueError(f"no test is called {where.test}")


def _prefix(name: str, prefix: str) -> tuple[str, list[Any]]:
    start, end = span(prefix)
    return (f"{name} >= ?", [start]) if end is None else (f"{name} >= ? AND {name} < ?", [start, end])


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
