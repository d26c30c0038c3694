from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.embedded.bus import SqliteBus
from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine, open_read_only
from shared.embedded.ids import SeededIds
from shared.embedded.opening import InUse, is_live, lock
from shared.embedded.store import SqliteStore
from shared.errors import Outage
from shared.ports import Outgoing, Query, Where
from tests.conformance.toys import BASKETS, Basket, Fill, Shelf, heard, outgoing, take


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "wushe.db"


@pytest.fixture(params=["threaded", "inline"])
async def engine(request: pytest.FixtureRequest, file: Path) -> AsyncIterator[SqliteEngine]:
    engine = SqliteEngine(file, inline=request.param == "inline")
    engine.prepare("CREATE TABLE numbers (n INTEGER NOT NULL UNIQUE)")
    yield engine
    await engine.close()


def a_store(engine: SqliteEngine) -> SqliteStore:
    clock = FixedClock()
    return SqliteStore(engine, "toys", [Basket, Shelf], clock, SeededIds(1, clock))


def insert(n: int, then: Exception | None = None) -> Callable[[sqlite3.Connection], int]:
    def job(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO numbers VALUES (?)", (n,))
        if then is not None:
            raise then
        return n

    return job


def numbers(engine: SqliteEngine) -> list[int]:
    return [row[0] for row in engine.read("SELECT n FROM numbers ORDER BY n")]


@contextmanager
def full_disk(file: Path) -> Iterator[None]:
    """Files of this process cannot grow beyond what the log has now: writing more fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = file.with_name(file.name + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_data_directory_has_one_process(file: Path) -> None:
    engine = SqliteEngine(file)
    with pytest.raises(InUse, match="in use by another process"):
        SqliteEngine(file)
    await engine.close()
    await SqliteEngine(file).close()


async def test_another_process_cannot_open_it_and_is_told_who_has_it(
    engine: SqliteEngine, file: Path
) -> None:
    script = f"from shared.embedded.engine import SqliteEngine; SqliteEngine({str(file)!r})"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=subprocess.PIPE)
    _, words = await child.communicate()
    assert child.returncode != 0
    assert b"InUse" in words
    assert b"pid" in words


def test_a_file_that_is_no_database_is_an_outage_and_frees_the_directory(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(Outage):
        SqliteEngine(file)
    file.unlink()
    SqliteEngine(file).abandon()


async def test_a_tool_can_look_while_the_system_runs(file: Path) -> None:
    engine = SqliteEngine(file)
    store, bus = a_store(engine), SqliteBus(engine)
    await store.change(Basket, "a", Fill())
    await bus.publish([outgoing("a", 1)])
    looking = open_read_only(file)
    seen, seen_bus = a_store(looking), SqliteBus(looking)
    await store.change(Basket, "a", Fill())

    found = await seen.get(Basket, "a")
    assert found is not None
    assert found.record.count == 2
    assert [one.version for one in await seen.find(Basket, Query((Where("count", "equal", 2),)))] == [2]
    assert len(await seen.pending(10)) == 2
    assert await seen.due(Basket, FixedClock().now(), 10) == []
    assert await seen.next_due() is None
    assert await seen.outbox_age() == 0
    reading = await seen_bus.read([BASKETS], group="g")
    assert await reading.lag() == 1
    await bus.publish([outgoing("a", 2)])
    assert await reading.lag() == 2
    assert len(await take(reading, 2)) == 2
    for writes in (seen.change(Basket, "a", Fill()), seen.ping(), seen_bus.publish([outgoing("a", 3)])):
        with pytest.raises(Outage, match="reading only"):
            await writes
    await looking.close()
    await engine.close()


async def test_a_tool_can_look_when_no_system_runs(file: Path) -> None:
    engine = SqliteEngine(file)
    await a_store(engine).change(Basket, "a", Fill())
    await engine.close()
    looking = open_read_only(file)
    assert await a_store(looking).get(Basket, "a") is not None
    await looking.close()


async def test_to_look_at_what_was_never_set_up_is_an_outage(file: Path) -> None:
    await SqliteEngine(file).close()
    looking = open_read_only(file)
    with pytest.raises(Outage, match="no such table"):
        a_store(looking)
    await looking.close()


async def test_to_look_at_nothing_is_an_outage(file: Path) -> None:
    with pytest.raises(Outage):
        open_read_only(file)


async def test_jobs_of_a_batch_see_each_other_and_nobody_else_sees_them_early(engine: SqliteEngine) -> None:
    seen: list[list[int]] = []

    def look(connection: sqlite3.Connection) -> int:
        seen.append(numbers(engine))
        return int(connection.execute("SELECT count(*) FROM numbers").fetchone()[0])

    _, count, _ = await asyncio.gather(engine.write(insert(1)), engine.write(look), engine.write(insert(2)))
    assert count == 1
    assert seen == [[]]
    assert numbers(engine) == [1, 2]


async def test_a_job_that_breaks_off_half_way_leaves_nothing_and_hurts_nobody(engine: SqliteEngine) -> None:
    undone: list[int] = []
    engine.when_undone(lambda: undone.append(1))
    results = await asyncio.gather(
        engine.write(insert(1)),
        engine.write(insert(2, then=KeyError("half way"))),
        engine.write(insert(1)),
        engine.write(insert(3)),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == ["int", "KeyError", "IntegrityError", "int"]
    assert numbers(engine) == [1, 3]
    assert undone


async def test_a_commit_that_fails_is_an_outage_for_all_of_its_batch(engine: SqliteEngine) -> None:
    engine.prepare("CREATE TABLE dangling (n INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED)")
    connections: list[sqlite3.Connection] = []
    await engine.write(connections.append)
    connections[0].execute("PRAGMA foreign_keys = ON")
    undone: list[int] = []
    engine.when_undone(lambda: undone.append(1))
    results = await asyncio.gather(
        engine.write(insert(1)),
        engine.write(lambda connection: connection.execute("INSERT INTO dangling VALUES (9)")),
        engine.write(insert(2, then=KeyError("decided on what was not saved"))),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Outage] * 3
    assert numbers(engine) == []
    assert undone
    assert await engine.write(insert(5)) == 5


async def test_a_full_disk_is_an_outage_and_what_was_remembered_is_forgotten(
    engine: SqliteEngine, file: Path
) -> None:
    store = a_store(engine)
    await store.change(Basket, "a", Fill(), cause=heard(1))
    with full_disk(file):
        results = await asyncio.gather(
            *(store.change(Basket, "a", Fill(), cause=heard(n)) for n in range(2, 6)), return_exceptions=True
        )
        assert [type(result) for result in results] == [Outage] * 4
        found = await store.get(Basket, "a")
        assert found is not None
        assert (found.version, found.record.count) == (1, 1)
        await engine.ping()
        with pytest.raises(Outage):
            await engine.ping()
    fill = Fill()
    outcome = await store.change(Basket, "a", fill, cause=heard(2))
    assert [basket.count if basket else None for basket in fill.saw] == [1]
    assert (outcome.version, outcome.applied) == (2, True)
    assert [message.sequence for message in await store.pending(10)] == [1, 2]
    await engine.ping()


async def test_the_log_goes_on_without_gap_after_a_full_disk(engine: SqliteEngine, file: Path) -> None:
    bus = SqliteBus(engine)
    reading = await bus.read([BASKETS], group="g")
    await bus.publish([outgoing("a", 1)])
    with full_disk(file):
        with pytest.raises(Outage):
            await bus.publish([outgoing("a", 2)])
        assert len(await take(reading, 1)) == 1
        assert await reading.fetch(10, 0) == []
    await bus.publish([outgoing("a", 3)])
    [delivery] = await take(reading, 1)
    assert (delivery.offset, delivery.value) == (1, b"a-3")


async def test_who_goes_away_early_takes_nothing_with_him(engine: SqliteEngine) -> None:
    told: list[object] = []
    leaving = asyncio.create_task(engine.write(insert(1), told.append))
    staying = asyncio.create_task(engine.write(insert(2), told.append))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 2
    assert told == numbers(engine) == [2]


async def test_who_goes_away_during_the_commit_is_saved_and_announced(file: Path) -> None:
    engine = SqliteEngine(file)
    engine.prepare("CREATE TABLE numbers (n INTEGER NOT NULL UNIQUE)")
    told: list[object] = []
    leaving: asyncio.Task[object]

    def job(connection: sqlite3.Connection) -> int:
        asyncio.get_running_loop().call_soon(leaving.cancel)
        connection.execute("INSERT INTO numbers VALUES (1)")
        return 1

    leaving = asyncio.create_task(engine.write(job, told.append))
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await engine.close()
    assert told == [1]


async def test_closing_finishes_what_is_queued_and_takes_nothing_new(file: Path) -> None:
    engine = SqliteEngine(file)
    store = a_store(engine)
    under_way = [asyncio.create_task(store.change(Basket, f"b{n}", Fill(f"b{n}"))) for n in range(300)]
    await asyncio.sleep(0)
    await engine.close()
    assert len({(await task).record.id for task in under_way}) == 300
    with pytest.raises(Outage, match="closed"):
        await store.change(Basket, "late", Fill("late"))
    with pytest.raises(Outage, match="closed"):
        await store.get(Basket, "b1")
    await engine.close()


async def test_a_database_in_memory_behaves_alike() -> None:
    engine = SqliteEngine(":memory:")
    store = a_store(engine)
    await asyncio.gather(*(store.change(Basket, "a", Fill()) for _ in range(10)))
    found = await store.get(Basket, "a")
    assert found is not None
    assert found.record.count == 10
    await engine.close()


async def test_inline_the_same_story_is_told_in_the_same_bytes(tmp_path: Path) -> None:
    async def story(directory: Path) -> list[Outgoing]:
        engine = SqliteEngine(directory / "wushe.db", inline=True)
        store = a_store(engine)
        await asyncio.gather(
            *(store.change(Basket, f"b{n % 7}", Fill(f"b{n % 7}"), cause=heard(n % 5 + 1)) for n in range(50))
        )
        told = await store.pending(100)
        await engine.close()
        return told

    assert await story(tmp_path / "once") == await story(tmp_path / "again")


@pytest.mark.faults
async def test_a_killed_process_keeps_every_change_it_answered(file: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.embedded.victim", str(file), stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    answered = [(await child.stdout.readline()).decode().split() for _ in range(500)]
    child.kill()
    answered += [line.decode().split() for line in (await child.stdout.read()).splitlines(keepends=True)]
    await child.wait()
    versions: dict[str, int] = {}
    for id, answer in (line for line in answered if len(line) == 2):
        versions[id] = max(versions.get(id, 0), int(answer))

    engine = SqliteEngine(file)
    store = a_store(engine)
    said: dict[str, list[int]] = {}
    for message in await store.pending(1_000_000):
        said.setdefault(message.id, []).append(message.sequence)
    for id, version in versions.items():
        found = await store.get(Basket, id)
        assert found is not None
        assert found.version >= version
        assert found.record.count == found.version
        assert said[id] == list(range(1, found.version + 1))
    await engine.close()


async def test_a_transaction_that_was_left_open_is_undone_before_the_next(engine: SqliteEngine) -> None:
    connections: list[sqlite3.Connection] = []
    await engine.write(connections.append)
    connections[0].execute("BEGIN")
    insert(1)(connections[0])
    assert await engine.write(insert(2)) == 2
    assert numbers(engine) == [2]


async def test_nobody_else_on_the_machine_can_read_the_file(file: Path) -> None:
    readable_to_all(file)
    engine = SqliteEngine(file)
    await a_store(engine).change(Basket, "a", Fill())
    assert modes(file) == dict.fromkeys(("wushe.db", "wushe.db-wal", "wushe.db-shm"), 0o600)
    await engine.close()


def readable_to_all(file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    file.chmod(0o644)


def modes(file: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in file.parent.glob("wushe.db*")}


async def test_who_only_holds_the_directory_still_does_not_count_as_a_running_system(file: Path) -> None:
    assert not is_live(file.parent)
    engine = SqliteEngine(file)
    assert is_live(file.parent)
    await engine.close()
    assert not is_live(file.parent)
    held = lock(file.parent, still=True)
    assert not is_live(file.parent)
    with pytest.raises(InUse, match=rf"\(pid {os.getpid()}\)"):
        lock(file.parent)
    os.close(held)
