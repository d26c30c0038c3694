"""Kafka, and MongoDB with either driver, as the suite needs them: each home has names of its own on shared servers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from shared.contracts.base import Topic
from shared.embedded.ids import SeededIds
from shared.errors import WusheError
from shared.kafka import KafkaBus, Link, Patience
from shared.mongo import Connection, Driver, MongoStore
from shared.ports import Bus, Store
from shared.records import Record
from tests.conformance.homes import BusHome, StoreHome
from tests.conformance.toys import BASKETS, NEWS
from tests.servers.fixtures import kafka_server, mongo_server

TOPICS = tuple(topic._replace(partitions=3) for topic in (BASKETS, NEWS, Topic("toys", "new-kind")))


class MongoStoreHome(StoreHome):
    driver = Driver.PYMONGO

    def __init__(self, directory: Path, kinds: Sequence[type[Record]]) -> None:
        super().__init__(directory, kinds)
        self._prefix = f"t{secrets.token_hex(4)}"

    async def start(self) -> None:
        self._connection = Connection(mongo_server().address, self.driver, prefix=self._prefix)
        self._ids = SeededIds(7, self.clock)
        self._stores: dict[str, MongoStore] = {}

    def store(self, service: str = "toys") -> Store:
        if service not in self._stores:
            self._stores[service] = MongoStore(self._connection, service, self.kinds, self.clock, self._ids)
        return self._stores[service]

    async def stop(self) -> None:
        for store in self._stores.values():
            await store.close()
        await self._connection.close()

    async def crash(self) -> None:
        for store in self._stores.values():
            store.abandon()
        await self._connection.close()


class MotorStoreHome(MongoStoreHome):
    driver = Driver.MOTOR


class KafkaBusHome(BusHome):
    gaps: ClassVar[Mapping[str, tuple[str, type[WusheError]]]] = {}

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._prefix = f"t{secrets.token_hex(4)}."

    async def start(self) -> Bus:
        link = Link(kafka_server().address, self._prefix, patience=Patience(heartbeat=0.3, look=0.5))
        self._bus = KafkaBus(link, TOPICS)
        return self._bus

    async def stop(self) -> None:
        await self._bus.close()

    async def crash(self) -> None:
        await self._bus.close()
