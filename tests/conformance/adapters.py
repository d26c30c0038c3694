"""The adapters that the suite runs over. A new one is a subclass and a row at the end; no test changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from shared.embedded.bus import NoRebalancing, SqliteBus
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from shared.errors import WusheError
from shared.ports import Bus, Store
from shared.records import Record
from tests.conformance.cluster_adapters import KafkaBusHome, MongoStoreHome, MotorStoreHome
from tests.conformance.homes import BusHome, StoreHome


class SqliteStoreHome(StoreHome):
    inline = False
    file: ClassVar[str] = "wushe.db"

    async def start(self) -> None:
        self._engine = SqliteEngine(self.directory / self.file, inline=self.inline)
        self._ids = SeededIds(7, self.clock)
        self._stores: dict[str, Store] = {}

    def store(self, service: str = "toys") -> Store:
        if service not in self._stores:
            self._stores[service] = SqliteStore(self._engine, service, self.kinds, self.clock, self._ids)
        return self._stores[service]

    async def stop(self) -> None:
        await self._engine.close()

    async def crash(self) -> None:
        self._engine.abandon()


class InlineSqliteStoreHome(SqliteStoreHome):
    inline = True


class SqliteBusHome(BusHome):
    gaps: ClassVar[Mapping[str, tuple[str, type[WusheError]]]] = {
        "rebalancing": ("one partition per topic, one process: there is nothing to share out", NoRebalancing)
    }
    inline = False

    async def start(self) -> Bus:
        self._engine = SqliteEngine(self.directory / "wushe.db", inline=self.inline)
        self._bus = SqliteBus(self._engine)
        return self._bus

    async def stop(self) -> None:
        await self._bus.close()
        await self._engine.close()

    async def crash(self) -> None:
        self._engine.abandon()


class InlineSqliteBusHome(SqliteBusHome):
    inline = True


STORES: Mapping[str, Callable[[Path, Sequence[type[Record]]], StoreHome]] = {
    "sqlite": SqliteStoreHome,
    "sqlite-inline": InlineSqliteStoreHome,
    "mongo-pymongo": MongoStoreHome,
    "mongo-motor": MotorStoreHome,
}
BUSES: Mapping[str, Callable[[Path], BusHome]] = {
    "sqlite": SqliteBusHome,
    "sqlite-inline": InlineSqliteBusHome,
    "kafka": KafkaBusHome,
}
CLUSTER = frozenset({"mongo-pymongo", "mongo-motor", "kafka"})
"""Those that need servers, and are left to `make test-cluster`."""
