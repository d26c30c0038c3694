"""What waits for the disk and what does not: every test has a disk that answers when it is told to."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from shared.embedded import disk, engine
from shared.embedded.engine import SqliteEngine
from shared.errors import Outage

PATIENCE = 10.0


class SlowDisk:
    """Every wait ends when the test says so, well or not."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False
        self._answers = threading.Event()
        self._answers.set()
        self._real = os.fdatasync

    def fdatasync(self, file: int) -> None:
        self.asked += 1
        assert self._answers.wait(PATIENCE)
        if self.broken:
            raise OSError(5, "Input/output error")
        self._real(file)

    def hold(self) -> None:
        self._answers.clear()

    def answer(self) -> None:
        self._answers.set()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    slow = SlowDisk()
    monkeypatch.setattr(os, "fdatasync", slow.fdatasync)
    return slow


def fresh(place: Path) -> SqliteEngine:
    db = SqliteEngine(place / "wushe.db")
    db.prepare("CREATE TABLE numbers (n INTEGER)")
    return db


@pytest.fixture
async def db(slow: SlowDisk, tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    db = fresh(tmp_path)
    await db.write(insert(0))
    yield db
    slow.answer()
    await db.close()


def insert(n: int) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute("INSERT INTO numbers VALUES (?)", (n,))


def numbers(db: SqliteEngine) -> list[int]:
    return [row[0] for row in db.read("SELECT n FROM numbers ORDER BY n")]


async def soon(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.001)


async def is_waiting(task: asyncio.Future[object]) -> bool:
    done, _ = await asyncio.wait([task], timeout=0.05)
    return not done


def begun(work: Awaitable[object]) -> asyncio.Future[object]:
    return asyncio.ensure_future(work)


async def test_what_must_be_kept_is_answered_after_the_disk_and_what_need_not_before(
    db: SqliteEngine, slow: SlowDisk
) -> None:
    slow.hold()
    must = begun(db.write(insert(1)))
    await db.write(insert(2), sync=False)
    assert numbers(db) == [0, 1, 2], "others go on with what is committed"
    assert await is_waiting(must)
    slow.answer()
    await must


async def test_nothing_is_told_outside_before_it_is_on_the_disk(db: SqliteEngine, slow: SlowDisk) -> None:
    await db.settled()
    slow.hold()
    await db.write(insert(1), sync=False)
    told = begun(db.settled())
    assert await is_waiting(told)
    slow.answer()
    await told
    asked = slow.asked
    await db.settled()
    assert slow.asked == asked, "what is on the disk is not waited for again"


async def test_many_that_come_while_the_disk_is_busy_share_the_next_wait(
    db: SqliteEngine, slow: SlowDisk
) -> None:
    slow.hold()
    first = begun(db.write(insert(1)))
    await soon(lambda: slow.asked == 2)
    others = [begun(db.write(insert(n))) for n in range(2, 50)]
    await soon(lambda: len(numbers(db)) == 50)
    slow.answer()
    await asyncio.gather(first, *others)
    assert slow.asked == 3


async def test_what_nobody_waits_for_reaches_the_disk_in_a_while(
    db: SqliteEngine, slow: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "UNSEEN_SECONDS", 0.01)
    await soon(lambda: slow.asked >= 1)
    asked = slow.asked
    await db.write(insert(1), sync=False)
    await soon(lambda: slow.asked > asked)


async def test_what_nobody_waits_for_reaches_the_disk_also_if_another_wait_was_under_way(
    tmp_path: Path, slow: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "UNSEEN_SECONDS", 0.01)
    db = fresh(tmp_path)
    slow.hold()
    must = begun(db.write(insert(1)))
    await soon(lambda: slow.asked == 1)
    await db.write(insert(2), sync=False)
    assert await is_waiting(must), "meanwhile its time passes, and the wait that goes on does not cover it"
    slow.answer()
    await soon(lambda: slow.asked == 2)
    await must
    await db.close()


async def test_closing_waits_for_the_disk_even_if_nobody_else_does(tmp_path: Path, slow: SlowDisk) -> None:
    db = fresh(tmp_path)
    slow.hold()
    must = begun(db.write(insert(1)))
    await soon(lambda: slow.asked == 1)
    await db.write(insert(2), sync=False)
    closing = begun(db.close())
    assert await is_waiting(closing)
    slow.answer()
    await asyncio.gather(must, closing)
    again = SqliteEngine(tmp_path / "wushe.db")
    assert numbers(again) == [1, 2]
    await again.close()


async def test_a_disk_that_failed_is_not_asked_again_and_everybody_is_told(
    tmp_path: Path, slow: SlowDisk
) -> None:
    db = fresh(tmp_path)
    slow.broken = True
    with pytest.raises(Outage, match="Input/output error"):
        await db.write(insert(1))
    slow.broken = False
    for asked in (db.write(insert(2)), db.write(insert(3), sync=False), db.settled(), db.ping()):
        with pytest.raises(Outage, match="begin anew"):
            await asked
    await db.close()


async def test_the_log_is_carried_over_into_the_file_while_others_go_on(
    db: SqliteEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHECKPOINT_ROWS", 20)
    await asyncio.gather(*(db.write(insert(n)) for n in range(1, 100)))
    await db.write(insert(100), sync=False)
    await db.ping()
    shutil.copy(tmp_path / "wushe.db", tmp_path / "alone.db")
    alone = sqlite3.connect(tmp_path / "alone.db")
    assert alone.execute("SELECT count(*) FROM numbers").fetchone()[0] >= 20
    alone.close()
    assert numbers(db) == list(range(101))
