"""Searches go by the declared indexes: SQLite is asked how it would do them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from shared.embedded.search import search
from shared.embedded.table import Table
from shared.ports import Query, Where
from shared.searches import either
from tests.conformance.toys import Basket


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    Table("toys", Basket).prepare(connection)
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, sql: str, values: list[Any]) -> str:
    return "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query((Where("area", "equal", "x"),)), "by area count"),
        (Query((Where("area", "prefix", "x"),)), "by area count"),
        (Query((Where("area", "equal", "x"), Where("count", "at_least", 3))), "by area count"),
        (Query((Where("count", "at_most", 3),), order="count"), "by count"),
        (Query((Where("tag", "one_of", ("a", "b")),)), "by tag"),
        (Query((Where("tag", "equal", None),)), "by tag"),
        (Query((Where("sealed", "equal", True),)), "by sealed"),
    ],
)
def test_a_search_uses_its_index(connection: sqlite3.Connection, query: Query, index: str) -> None:
    assert f"USING INDEX toys.basket {index}" in plan(
        connection, *search("toys.basket", Basket.indexes, query)
    )


def test_each_of_several_conditions_uses_its_own_index(connection: sqlite3.Connection) -> None:
    choice = Query((either(Where("tag", "one_of", ("a", "b")), Where("id", "equal", "x")),))
    found = plan(connection, *search("toys.basket", Basket.indexes, choice))
    assert "MULTI-INDEX OR" in found
    assert "SCAN" not in found


@pytest.mark.parametrize(
    "query",
    [
        Query((Where("tag", "equal", "a"),), order="tag"),
        Query((Where("tag", "equal", "a"),), order="id", after=("b1", "b1")),
        Query((Where("area", "equal", "x"),), order="count", descending=True),
        Query(order="count", after=(3, "b1")),
        Query(order="id", after=("b1", "b1"), descending=True),
    ],
)
def test_what_lies_in_index_order_is_not_sorted_again(connection: sqlite3.Connection, query: Query) -> None:
    assert "TEMP B-TREE" not in plan(connection, *search("toys.basket", Basket.indexes, query))


def test_due_records_are_found_by_their_time(connection: sqlite3.Connection) -> None:
    table = Table("toys", Basket)
    assert "USING COVERING INDEX toys.basket due" in plan(connection, table.due, [1, 1])
    assert "USING COVERING INDEX toys.basket due" in plan(connection, table.next_due, [])
    assert "TEMP B-TREE" not in plan(connection, table.due, [1, 1])
