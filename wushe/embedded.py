"""The default: everything in one process on one SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from shared.embedded.bus import SqliteBus
from shared.embedded.clock import SystemClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SystemIds
from shared.embedded.store import SqliteStore
from shared.ports import Adapters, Clock, Faults, Ids, NoFaults
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, TokenVerifier, signing_key
from wushe.system import RECORDS, Security, System

DATABASE = "wushe.db"


def adapters(engine: SqliteEngine, clock: Clock, ids: Ids, faults: Faults) -> dict[str, Adapters]:
    """One store per service and one log for all, in one file."""
    bus = SqliteBus(engine, clock)
    return {
        name: Adapters(SqliteStore(engine, name, records, clock, ids), bus, clock, ids, faults)
        for name, records in RECORDS.items()
    }


@asynccontextmanager
async def embedded(
    directory: Path, *, hasher: Hasher | None = None, faults: Faults | None = None, access_log: bool = False
) -> AsyncIterator[System]:
    """The whole system on this data directory, wired but not yet moving: run `system.run()` beside it."""
    engine = SqliteEngine(directory / DATABASE)
    clock = SystemClock()
    ids = SystemIds(clock)
    mint = TokenMint(signing_key(directory / "keys" / "signing.pem"))
    security = Security(TokenVerifier(mint.public_key, clock), mint, hasher or Hasher())
    system = System(
        adapters(engine, clock, ids, faults or NoFaults()),
        security,
        clock=clock,
        ids=ids,
        access_log=access_log,
        settled=engine.settled,
    )
    try:
        yield system
    finally:
        await system.close()
        await engine.close()
