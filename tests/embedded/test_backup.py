"""One file that holds a whole station, taken while it works; and the way back."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from shared.embedded import backup
from shared.embedded.backup import Altered, Damaged, InTheWay, back_up, require_room_for, restore
from shared.embedded.bus import SqliteBus
from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.opening import InUse, open_reader
from shared.embedded.store import SqliteStore
from tests.conformance.toys import Basket, Fill

DONE = 40


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "wushe.db"


def a_store(engine: SqliteEngine) -> SqliteStore:
    clock = FixedClock()
    SqliteBus(engine, clock)
    return SqliteStore(engine, "toys", [Basket], clock, SeededIds(1, clock))


async def filled(file: Path, times: int = 3) -> None:
    engine = SqliteEngine(file)
    store = a_store(engine)
    for _ in range(times):
        await store.change(Basket, "a", Fill("a"))
    await engine.close()


async def version_in(file: Path) -> int:
    engine = SqliteEngine(file)
    found = await a_store(engine).get(Basket, "a")
    await engine.close()
    return found.version if found else 0


async def test_a_backup_taken_under_writing_holds_what_was_acknowledged_before(
    file: Path, tmp_path: Path
) -> None:
    engine = SqliteEngine(file)
    store = a_store(engine)
    acknowledged = asyncio.Event()
    stop = asyncio.Event()

    async def work() -> int:
        version = 0
        while not stop.is_set() or version < DONE:
            version = (await store.change(Basket, "a", Fill("a"))).version
            if version == DONE:
                acknowledged.set()
        return version

    working = asyncio.create_task(work())
    await acknowledged.wait()
    size = await asyncio.to_thread(back_up, file, tmp_path / "one.backup")
    stop.set()
    last = await working
    await engine.close()
    assert size == (tmp_path / "one.backup").stat().st_size > 0
    restore(tmp_path / "one.backup", tmp_path / "again" / "wushe.db")
    assert DONE <= await version_in(tmp_path / "again" / "wushe.db") <= last


async def test_a_backup_is_one_file_that_only_its_owner_reads(file: Path, tmp_path: Path) -> None:
    await filled(file)
    place = tmp_path / "kept"
    place.mkdir()
    back_up(file, place / "one.backup")
    assert [path.name for path in place.iterdir()] == ["one.backup"]
    assert stat.S_IMODE((place / "one.backup").stat().st_mode) == 0o600


async def test_what_lies_where_nothing_can_be_written_is_read_and_backed_up(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(file)
    monkeypatch.setattr(os, "access", lambda *_: False)
    before = sorted(file.parent.iterdir())
    with closing(open_reader(file)) as reader:
        assert reader.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
        assert sorted(file.parent.iterdir()) == before
    assert back_up(file, tmp_path / "one.backup") > 0


async def test_nothing_is_ever_overwritten(file: Path, tmp_path: Path) -> None:
    await filled(file)
    back_up(file, tmp_path / "one.backup")
    with pytest.raises(InTheWay):
        back_up(file, tmp_path / "one.backup")
    with pytest.raises(InTheWay):
        restore(tmp_path / "one.backup", file)
    assert await version_in(file) == 3


async def test_a_journal_left_behind_is_not_played_into_what_is_restored(file: Path, tmp_path: Path) -> None:
    await filled(file)
    back_up(file, tmp_path / "one.backup")
    left = tmp_path / "left" / "wushe.db"
    left.parent.mkdir()
    left.with_name("wushe.db-wal").write_bytes(b"of another database")
    with pytest.raises(InTheWay):
        restore(tmp_path / "one.backup", left)
    assert not left.exists()


async def test_a_running_system_is_not_restored_into(file: Path, tmp_path: Path) -> None:
    await filled(file)
    back_up(file, tmp_path / "one.backup")
    engine = SqliteEngine(tmp_path / "other" / "another.db")
    with pytest.raises(InUse):
        restore(tmp_path / "one.backup", tmp_path / "other" / "wushe.db")
    await engine.close()


async def test_a_full_disk_is_that_of_the_new_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, part: Path) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    await filled(file)
    monkeypatch.setattr(backup, "_copy_pages", full)
    with pytest.raises(OSError, match=r"one\.backup"):
        back_up(file, tmp_path / "one.backup")


async def test_half_a_file_or_another_file_is_no_backup(file: Path, tmp_path: Path) -> None:
    await filled(file, 200)
    back_up(file, tmp_path / "one.backup")
    whole = (tmp_path / "one.backup").read_bytes()
    for n, bad in enumerate(
        (whole[: len(whole) // 2], b"not a database, but long enough to be one" * 200, b"")
    ):
        (tmp_path / f"{n}.backup").write_bytes(bad)
        with pytest.raises(Damaged) as told:
            restore(tmp_path / f"{n}.backup", tmp_path / f"restored-{n}" / "wushe.db")
        assert isinstance(told.value, Altered) == (n == 0)
        assert [path.name for path in (tmp_path / f"restored-{n}").iterdir()] == ["lock"]


@pytest.mark.parametrize("number", [0, 7])
async def test_a_database_of_something_else_is_told_to_be_that(tmp_path: Path, number: int) -> None:
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as foreign:
        foreign.execute("CREATE TABLE photos (name TEXT)")
        foreign.execute(f"PRAGMA user_version = {number}")
        foreign.commit()
    with pytest.raises(Damaged) as told:
        restore(tmp_path / "foreign.db", tmp_path / "restored" / "wushe.db")
    assert not isinstance(told.value, Altered), "there is nothing to be copied again"


async def test_a_backup_with_one_bit_that_is_another_is_not_restored(file: Path, tmp_path: Path) -> None:
    await filled(file, 200)
    back_up(file, tmp_path / "one.backup")
    whole = (tmp_path / "one.backup").read_bytes()
    body = whole.index(b'"id":"a"') + 6
    for n, at in enumerate((body, 61, 70, len(whole) - 1)):
        bad = bytearray(whole)
        bad[at] ^= 4
        (tmp_path / f"{n}.backup").write_bytes(bad)
        with pytest.raises(Altered):
            restore(tmp_path / f"{n}.backup", tmp_path / f"restored-{n}" / "wushe.db")
        assert [path.name for path in (tmp_path / f"restored-{n}").iterdir()] == ["lock"]


async def test_a_backup_of_an_earlier_version_is_restored(file: Path, tmp_path: Path) -> None:
    await filled(file)
    back_up(file, tmp_path / "one.backup")
    with closing(sqlite3.connect(tmp_path / "one.backup")) as old:
        old.executescript("BEGIN; PRAGMA user_version = 0; PRAGMA application_id = 0; COMMIT")
    restore(tmp_path / "one.backup", tmp_path / "again" / "wushe.db")
    assert await version_in(tmp_path / "again" / "wushe.db") == 3


async def test_a_backup_put_in_place_by_hand_and_used_is_backed_up_and_restored(
    file: Path, tmp_path: Path
) -> None:
    await filled(file)
    back_up(file, tmp_path / "one.backup")
    by_hand = tmp_path / "by hand" / "wushe.db"
    by_hand.parent.mkdir()
    by_hand.write_bytes((tmp_path / "one.backup").read_bytes())
    back_up(by_hand, tmp_path / "unused.backup")
    restore(tmp_path / "unused.backup", tmp_path / "first" / "wushe.db")
    engine = SqliteEngine(by_hand)
    await a_store(engine).change(Basket, "a", Fill("a"))
    restore(by_hand, tmp_path / "running" / "wushe.db")
    await engine.close()
    restore(by_hand, tmp_path / "stopped" / "wushe.db")
    back_up(by_hand, tmp_path / "two.backup")
    restore(tmp_path / "two.backup", tmp_path / "again" / "wushe.db")
    assert await version_in(tmp_path / "first" / "wushe.db") == 3
    for place in ("running", "stopped", "again"):
        assert await version_in(tmp_path / place / "wushe.db") == 4


async def test_of_two_backups_to_one_name_one_is_made_and_is_whole(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second begins while the first is half way, and neither writes into the file of the other."""
    await filled(file, 200)
    one, copy_pages = tmp_path / "kept" / "one.backup", backup._copy_pages
    one.parent.mkdir()

    def meanwhile(source: Path, part: Path) -> None:
        copy_pages(source, part)
        monkeypatch.setattr(backup, "_copy_pages", copy_pages)
        require_room_for(one)
        back_up(file, one)

    monkeypatch.setattr(backup, "_copy_pages", meanwhile)
    with pytest.raises(InTheWay):
        back_up(file, one)
    assert [path.name for path in one.parent.iterdir()] == ["one.backup"]
    restore(one, tmp_path / "again" / "wushe.db")
    assert await version_in(tmp_path / "again" / "wushe.db") == 200
