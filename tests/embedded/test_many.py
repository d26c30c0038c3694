"""A change that SQLite cannot write, among others that it can."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from shared.embedded.clock import FixedClock
from shared.embedded.engine import BATCH, SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from shared.errors import Outage
from shared.many import Wanted, change_many, first_then
from shared.records import Outcome
from tests.conformance.toys import Basket, Fill

UNWRITABLE = "\ud800"
ORPHANS = "CREATE TABLE orphans (n INTEGER REFERENCES parents (n) DEFERRABLE INITIALLY DEFERRED)"


async def test_what_cannot_be_written_takes_no_other_with_it() -> None:
    clock = FixedClock()
    store = SqliteStore(SqliteEngine(":memory:"), "toys", [Basket], clock, SeededIds(1, clock))
    for ids in ((UNWRITABLE, "a", "b"), ("a", UNWRITABLE, "b"), ("a", "b", UNWRITABLE)):
        results = await change_many(store, Basket, [Wanted(id, Fill(id)) for id in ids])
        assert [isinstance(result, Outcome) for result in results] == [id != UNWRITABLE for id in ids]
    for id in ("a", "b"):
        found = await store.get(Basket, id)
        assert found is not None
        assert (found.version, found.record.count) == (3, 3)
    assert [(m.id, m.sequence) for m in await store.pending(9)] == [
        ("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)
    ]  # fmt: skip


@pytest.mark.parametrize("inline", [False, True], ids=["threaded", "inline"])
async def test_what_comes_second_is_never_saved_without_what_comes_first(
    tmp_path: Path, inline: bool
) -> None:
    """Not even when the first is the last of its batch, and that batch alone cannot be saved."""
    engine, clock = SqliteEngine(tmp_path / "wushe.db", inline=inline), FixedClock()
    store = SqliteStore(engine, "toys", [Basket], clock, SeededIds(1, clock))
    connections: list[sqlite3.Connection] = []
    await engine.write(connections.append)
    connections[0].execute("PRAGMA foreign_keys = ON")
    engine.prepare("CREATE TABLE parents (n INTEGER UNIQUE)", ORPHANS)
    spoiled = [asyncio.ensure_future(engine.write(_cannot_be_committed)) for _ in range(BATCH - 1)]
    first = store.change(Basket, "first", Fill("first"))
    with pytest.raises(Outage):
        await first_then(store, first, lambda: store.change(Basket, "then", Fill("then")))
    await asyncio.gather(*spoiled, return_exceptions=True)
    await engine.close()
    engine = SqliteEngine(tmp_path / "wushe.db")
    store = SqliteStore(engine, "toys", [Basket], clock, SeededIds(1, clock))
    assert [await store.get(Basket, id) for id in ("first", "then")] == [None, None]
    await engine.close()


def _cannot_be_committed(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO orphans VALUES (1)")
