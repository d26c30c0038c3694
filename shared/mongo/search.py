"""`Query` as a filter and a sort order: the closed vocabulary over declared indexes on the body."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from shared.mongo.connection import Document
from shared.mongo.document import path
from shared.ports import Query, Where
from shared.records import Index

_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def search(indexes: Sequence[Index], query: Query) -> tuple[Document, list[tuple[str, int]]]:
    """The filter and the order that answer this query.

    Raises ValueError for a search that no declared index serves, or words outside the vocabulary.
    """
    _check(indexes, query)
    parts = [*map(_condition, query.where), *_behind(query)]
    direction = -1 if query.descending else 1
    order = [(path(query.order), direction)] + ([] if query.order == "id" else [("_id", direction)])
    return ({"$and": parts} if parts else {}), order


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


def _condition(where: Where) -> Document:
    name, value = path(where.field), where.value
    match where.test:
        case "equal":
            return {name: None if value is None else _scalar(value)}
        case "one_of":
            if not isinstance(value, tuple):
                raise ValueError("one_of takes a tuple")
            return {name: {"$in": [_scalar(one) for one in value]}}
        case "at_least":
            return {name: {"$gte": _scalar(value)}}
        case "at_most":
            return {name: {"$lte": _scalar(value)}}
        case "prefix":
            if not isinstance(value, str):
                raise ValueError("prefix is for text")
            return {name: _prefix(value)}
    raise ValueError(f"no test is called {where.test}")


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int):
        raise ValueError(f"{type(value).__name__} is neither text, integer nor boolean")
    return value.value if isinstance(value, Enum) else value


def _prefix(prefix: str) -> Document:
    """Everything from the prefix up to, not including, the first text that sorts behind all texts with it."""
    head = prefix.rstrip(chr(_LAST_CHARACTER))
    if not head:
        return {"$gte": prefix}
    following = ord(head[-1]) + 1
    if following in _SURROGATES:
        following = _SURROGATES.stop
    return {"$gte": prefix, "$lt": head[:-1] + chr(following)}


def _behind(query: Query) -> list[Document]:
    """The condition that leaves out the pages before. None sorts before everything else."""
    if query.after is None:
        return []
    value, id = query.after
    name, beyond = path(query.order), "$lt" if query.descending else "$gt"
    if query.order == "id":
        return [{"_id": {beyond: id}}]
    ties = {name: value, "_id": {beyond: id}}
    if value is None:
        return [ties if query.descending else {"$or": [ties, {name: {"$ne": None}}]}]
    further = [{name: {beyond: value}}, ties]
    return [{"$or": [*further, {name: None}] if query.descending else further}]
