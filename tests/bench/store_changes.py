"""How many changes a second the embedded store makes durable, and what one costs.

    python -m tests.bench.store_changes [directory] [--profile]

A change is one small record, one event, one watermark. `CPU` is the processor time of the whole process.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

import uvloop

from shared.contracts.base import Event, Message, Topic
from shared.embedded.clock import SystemClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SystemIds
from shared.embedded.store import SqliteStore
from shared.records import Change, Record, index

SHELVES = Topic("bench", "shelf")
RECORDS = 500


class Stocked(Event):
    name = "shelf.stocked"
    topic = SHELVES
    quantity: int
    area: str
    category: str


class Shelf(Record):
    kind = "shelf"
    topic: ClassVar[Topic | None] = SHELVES
    indexes = (index("area", "category"),)
    area: str = "522702001"
    category: str = "粮油食品"
    quantity: int = 0
    note: str = "棉被，一米五，八成新；存放在社工站二楼"


def restock(id: str, shelf: Shelf | None) -> Change[Shelf]:
    shelf = shelf or Shelf(id=id)
    more = shelf.but(quantity=shelf.quantity + 1)
    return Change(more, Stocked(quantity=more.quantity, area=more.area, category=more.category))


@contextmanager
def measured(what: str, count: int) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<42} {count / wall:>9,.0f} changes/s {cpu / count * 1e6:>8.1f} µs CPU/change")


async def changes(directory: Path, writers: int, each: int, hot: bool) -> None:
    engine = SqliteEngine(directory / f"{writers}-{hot}" / "wushe.db")
    clock = SystemClock()
    store = SqliteStore(engine, "bench", [Shelf], clock, SystemIds(clock))
    heard = Stocked(quantity=1, area="", category="")

    async def write(writer: int) -> None:
        for n in range(each):
            id = f"shelf-{writer if hot else (writer * each + n) % RECORDS}"
            subject = f"source-{writer}"
            cause = Message(
                f"m-{writer}-{n}", Stocked.type(), "/wushe/bench", subject, datetime.now(UTC), n + 1, "c", None, heard
            )  # fmt: skip
            await store.change(Shelf, id, partial(restock, id), cause=cause)

    label = (
        f"{writers} writer{'s' if writers > 1 else ''}, {'own record each' if hot else f'{RECORDS} records'}"
    )
    with measured(label, writers * each):
        await asyncio.gather(*(write(writer) for writer in range(writers)))
    await engine.close()


def plain(directory: Path, count: int) -> None:
    """The yardstick: one transaction and one fsync for each write, with the same two rows."""
    connection = sqlite3.connect(directory / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE shelf (id TEXT PRIMARY KEY, version INTEGER, body TEXT)")
    connection.execute("CREATE TABLE outbox (n INTEGER PRIMARY KEY AUTOINCREMENT, message BLOB)")
    body = Shelf(id="shelf").model_dump_json()
    with measured("plain sqlite3, a transaction per write", count):
        for n in range(count):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("REPLACE INTO shelf VALUES (?, ?, ?)", (f"shelf-{n % RECORDS}", n, body))
            connection.execute("INSERT INTO outbox (message) VALUES (?)", (body.encode() * 3,))
            connection.execute("COMMIT")
    connection.close()


def run(directory: Path, scale: int) -> None:
    steps: list[Callable[[], None]] = [
        lambda: plain(directory, 1000 * scale),
        lambda: uvloop.run(changes(directory, 1, 1000 * scale, hot=False)),
        lambda: uvloop.run(changes(directory, 64, 200 * scale, hot=False)),
        lambda: uvloop.run(changes(directory, 64, 200 * scale, hot=True)),
    ]
    for step in steps:
        step()


def main() -> None:
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    with tempfile.TemporaryDirectory(dir=given[0] if given else None) as directory:
        if "--profile" in sys.argv:
            profile = cProfile.Profile()
            profile.runcall(lambda: uvloop.run(changes(Path(directory), 64, 200, hot=False)))
            pstats.Stats(profile).sort_stats("tottime").print_stats(28)
        else:
            run(Path(directory), 1)


if __name__ == "__main__":
    main()
