"""`Query` as a filter and a sort order: the closed vocabulary over declared indexes on the body."""

from __future__ import annotations

from collections.abc import Sequence

from shared.mongo.connection import Document
from shared.mongo.document import path
from shared.ports import Query, Where
from shared.records import Index
from shared.searches import check, scalar, span


def search(indexes: Sequence[Index], query: Query) -> tuple[Document, list[tuple[str, int]]]:
    """The filter and the order that answer this query.

    Raises ValueError for a search that no declared index serves, or words outside the vocabulary.
    """
    check(indexes, query)
    parts = [*map(_condition, query.where), *_behind(query)]
    direction = -1 if query.descending else 1
    order = [(path(query.order), direction)] + ([] if query.order == "id" else [("_id", direction)])
    return ({"$and": parts} if parts else {}), order


def _condition(where: Where) -> Document:
    name, value = path(where.field), where.value
    match where.test:
        case "equal":
            return {name: None if value is None else scalar(value)}
        case "one_of":
            if not isinstance(value, tuple):
                raise ValueError("one_of takes a tuple")
            return {name: {"$in": [scalar(one) for one in value]}}
        case "at_least":
            return {name: {"$gte": scalar(value)}}
        case "at_most":
            return {name: {"$lte": scalar(value)}}
        case "either":
            return {"$or": [_condition(one) for one in value]}
        case "prefix":
            if not isinstance(value, str):
                raise ValueError("prefix is for text")
            return {name: _prefix(value)}
    raise ValueError(f"no test is called {where.test}")


def _prefix(prefix: str) -> Document:
    start, end = span(prefix)
    return {"$gte": start} if end is None else {"$gte": start, "$lt": end}


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
