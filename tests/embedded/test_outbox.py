"""What an earlier process left in the outbox is taken out as quickly as what this one has put in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from tests.conformance.toys import Basket, Fill


async def test_to_take_out_what_was_left_is_no_more_work_when_much_was_left(tmp_path: Path) -> None:
    few = await _work_of_taking_out_ten_of(50, tmp_path / "few")
    many = await _work_of_taking_out_ten_of(2000, tmp_path / "many")
    assert many < 2 * few + 1000


async def _work_of_taking_out_ten_of(left: int, directory: Path) -> int:
    """In steps of SQLite's machine."""
    engine = SqliteEngine(directory / "wushe.db", inline=True)
    await _store(engine).change(Basket, "a", Fill(times=left))
    await engine.close()
    engine, connections, steps = (
        SqliteEngine(directory / "wushe.db", inline=True),
        list[sqlite3.Connection](),
        0,
    )
    store = _store(engine)
    await engine.write(connections.append)

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    waiting = await store.pending(10)
    connections[0].set_progress_handler(count, 1)
    await store.trim(waiting)
    connections[0].set_progress_handler(None, 1)
    assert [message.sequence for message in await store.pending(1)] == [11]
    assert await store.outbox_depth() == left - 10
    await engine.close()
    return steps


def _store(engine: SqliteEngine) -> SqliteStore:
    clock = FixedClock()
    return SqliteStore(engine, "toys", [Basket], clock, SeededIds(1, clock))
