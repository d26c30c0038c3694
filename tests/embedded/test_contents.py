"""What lies in a stopped data directory, read whole for a copy."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.embedded.bus import SqliteBus
from shared.embedded.clock import FixedClock
from shared.embedded.contents import Flaw, Kept, standing_still
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.opening import InUse
from shared.embedded.store import SqliteStore
from shared.errors import Illegible
from shared.mongo.arrivals import copied
from shared.mongo.document import outgoing_of, record_of, stored_of
from shared.ports import Op, Position, Query
from shared.records import Change, Record
from tests.conformance.toys import BASKETS, Basket, Fill, Shelf, heard

TOYS: dict[str, tuple[type[Record], ...]] = {"toys": (Basket, Shelf)}
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def fill_until_noon(basket: Basket | None) -> Change[Basket]:
    filled = Fill("a")(basket)
    return Change(filled.record.but(wake_at=NOON), *filled.events, answer=filled.answer)


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """Two baskets: one with a watermark, an answer and a timer, whose second message is still in the outbox."""
    file = tmp_path / "wushe.db"
    clock = FixedClock()
    engine = SqliteEngine(file)
    store = SqliteStore(engine, "toys", TOYS["toys"], clock, SeededIds(1, clock))
    bus = SqliteBus(engine, clock)
    await store.change(Basket, "a", fill_until_noon, cause=heard(sequence=7), op=Op("key", "body"))
    published = await store.pending(10)
    await bus.publish(published)
    await store.trim(published)
    await store.change(Basket, "a", fill_until_noon)
    await store.change(Basket, "b", Fill("b"))
    await bus.commit("readers", {Position(BASKETS.name, 0): 1})
    await engine.close()
    return file


async def kept(file: Path) -> dict[str, Kept]:
    async with standing_still(file, TOYS, [BASKETS]) as contents:
        found = {one.held.record.id: one for one in contents.records("toys", Basket) if isinstance(one, Kept)}
        assert contents.count("toys", Basket) == len(found)
        return found


async def test_records_come_with_all_that_is_kept_beside_them(file: Path) -> None:
    found = await kept(file)
    a = found["a"]
    assert (a.held.version, a.held.sequence) == (2, 2)
    assert a.held.due_at == int(NOON.timestamp() * 1000)
    assert [mark[0] for mark in a.held.applied.values()] == [7]
    assert list(a.held.ops) == ["key"]
    assert [message.sequence for message, _ in a.waiting] == [2]
    assert [message.sequence for message, _ in found["b"].waiting] == [1]


async def test_a_record_as_a_document_is_the_same_record(file: Path) -> None:
    for one in (await kept(file)).values():
        document = copied(*one)
        there = stored_of(Basket, document).held
        assert there[:4] == one.held[:4]
        assert {s: list(mark) for s, mark in there.applied.items()} == {
            s: list(mark) for s, mark in one.held.applied.items()
        }
        assert {k: list(answer) for k, answer in there.ops.items()} == {
            k: list(answer) for k, answer in one.held.ops.items()
        }
        assert outgoing_of(Basket, document) == [message for message, _ in one.waiting]
        assert copied(*one) == document


async def test_the_log_and_the_places_of_its_readers_are_there(file: Path) -> None:
    async with standing_still(file, TOYS, [BASKETS]) as contents:
        assert [delivery.offset for delivery in contents.log(BASKETS)] == [0]
        assert contents.length(BASKETS) == 1
        assert contents.commits() == {"readers": {BASKETS.name: 1}}
        assert contents.version("toys", Basket, "b") == 1
        assert contents.version("toys", Basket, "z") is None
        assert list(contents.records("toys", Shelf)) == []


async def test_what_cannot_be_read_is_named_and_never_quoted(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute(
            'UPDATE "toys.basket" SET body = ? WHERE id = ?', ('{"id": "a", "count": "甲"}', "a")
        )
        database.execute('UPDATE "toys.basket" SET applied = ? WHERE id = ?', ("nonsense", "b"))
    database.close()
    async with standing_still(file, TOYS, [BASKETS]) as contents:
        assert list(contents.records("toys", Basket)) == [
            Flaw("toys.basket a", "count"),
            Flaw("toys.basket b", "JSON"),
        ]


async def test_tables_that_nobody_here_knows_are_told_if_they_hold_anything(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute('CREATE TABLE "insight.board" (one)')
        database.execute('CREATE TABLE "log wushe.insight.board.v1" (one)')
        database.execute('INSERT INTO "insight.board" VALUES (1)')
    database.close()
    async with standing_still(file, TOYS, [BASKETS]) as contents:
        assert contents.strangers() == ["insight.board"]


async def test_nothing_is_read_while_a_process_runs_on_it_and_none_may_start_meanwhile(file: Path) -> None:
    engine = SqliteEngine(file)
    with pytest.raises(InUse, match=str(os.getpid())):
        async with standing_still(file, TOYS, [BASKETS]):
            pass
    await engine.close()
    async with standing_still(file, TOYS, [BASKETS]):
        with pytest.raises(InUse):
            SqliteEngine(file)


async def test_whoever_meets_a_record_that_cannot_be_read_is_told_which_it_is_and_nothing_it_says(
    file: Path,
) -> None:
    bodies = {"a": b'{"id": "a", "count": "secret"}', "b": b'{"id": "b", "note": "secret \xff"}'}
    with sqlite3.connect(file) as stored:
        for id, body in bodies.items():
            sql = 'UPDATE "toys.basket" SET body = CAST(? AS TEXT) WHERE id = ?'
            stored.execute(sql, (body, id))
    clock = FixedClock()
    engine = SqliteEngine(file)
    store = SqliteStore(engine, "toys", TOYS["toys"], clock, SeededIds(1, clock))
    for id, fields in (("a", "count"), ("b", "JSON")):
        for meeting in (
            lambda id=id: store.get(Basket, id),
            lambda id=id: store.change(Basket, id, Fill(id)),
            lambda id=id: store.find(Basket, Query(limit=1, after=None if id == "a" else ("a", "a"))),
        ):
            with pytest.raises(Illegible, match=rf"toys\.basket {id} cannot be read \({fields}\)") as told:
                await meeting()
            assert "secret" not in str(told.value) and told.value.__cause__ is None
    assert (await store.change(Basket, "c", Fill("c"))).version == 1
    assert (found := await store.get(Basket, "c")) and found.version == 1
    await engine.close()


def test_a_document_that_cannot_be_read_is_named_too() -> None:
    with pytest.raises(Illegible, match=r"basket a cannot be read \(count\)"):
        record_of(Basket, {"_id": "a", "body": {"id": "a", "count": "secret"}})
