"""A process in which SQLite is given no more memory; tells what became of each write. For `test_memory`."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from pathlib import Path

from shared.embedded.engine import SqliteEngine


def _fill(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO heap VALUES (randomblob(100000))")


def _fill_and_starve(connection: sqlite3.Connection) -> None:
    for _ in range(10):
        _fill(connection)
    connection.execute("PRAGMA hard_heap_limit = 1000000")


async def _main(file: Path, *, inline: bool) -> None:
    engine = SqliteEngine(file, inline=inline)
    engine.prepare("CREATE TABLE heap (blob BLOB NOT NULL)")
    for job in (_fill_and_starve, _fill, _fill):
        answer = await asyncio.gather(engine.write(job), return_exceptions=True)
        print(type(answer[0]).__name__, flush=True)
    os._exit(0)  # as starved as this it cannot even close


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), inline=sys.argv[2] == "inline"))
