"""A process that changes records and says what was answered, until it is killed: `victim.py <file>`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from shared.embedded.clock import SystemClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SystemIds
from shared.embedded.store import SqliteStore
from tests.conformance.toys import Basket, Fill, Shelf


async def change(store: SqliteStore, writer: int) -> None:
    id = f"b{writer % 8}"
    while True:
        outcome = await store.change(Basket, id, Fill(id))
        print(id, outcome.version, flush=True)


async def main(file: Path) -> None:
    clock = SystemClock()
    store = SqliteStore(SqliteEngine(file), "toys", [Basket, Shelf], clock, SystemIds(clock))
    await asyncio.gather(*(change(store, writer) for writer in range(32)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
