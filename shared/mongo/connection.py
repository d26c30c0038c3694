"""The way to the server, by one of two drivers that differ in two calls and in nothing that we use besides."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, cast

from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.errors import WusheError
from shared.mongo.trouble import ANSWER_SECONDS

Document = dict[str, Any]
Collection = AsyncCollection[Document]

DURABLE = WriteConcern("majority", j=True, wtimeout=5000)
COMMITTED = ReadConcern("majority")


class Driver(StrEnum):
    """PyMongo's own asyncio API; or motor, its frozen predecessor, for those who run it already."""

    PYMONGO = "pymongo"
    MOTOR = "motor"


class NoAddress(WusheError, ValueError):
    """The driver can make no sense of what was given for the address of the server."""


class Connection:
    """One client for a whole process; it belongs to the event loop that it was made on.

    The driver never writes twice by itself: only this adapter knows how to tell whether a write happened. Raises NoAddress.
    """

    def __init__(
        self, address: str, driver: Driver = Driver.PYMONGO, *, prefix: str = "wushe", name: str = "wushe"
    ) -> None:
        milliseconds = int(ANSWER_SECONDS * 1000)
        options: dict[str, Any] = {
            "appname": name, "retryWrites": False, "maxPoolSize": 64, "waitQueueTimeoutMS": milliseconds,
            "connectTimeoutMS": 2000, "serverSelectionTimeoutMS": 2000, "socketTimeoutMS": milliseconds,
        }  # fmt: skip
        self.driver = driver
        self.prefix = prefix
        try:
            self._client = _client(driver, address, options)
        except (PyMongoError, ValueError) as e:
            raise NoAddress(str(e)) from e

    def collection(self, service: str, name: str) -> Collection:
        """A collection of this service's own database: durable on a majority when written, and read from one."""
        return self._client[self.database(service)].get_collection(
            name, read_preference=ReadPreference.PRIMARY, write_concern=DURABLE, read_concern=COMMITTED
        )

    def database(self, service: str) -> str:
        return f"{self.prefix}_{service}"

    async def aggregate(
        self, collection: Collection, pipeline: Sequence[Mapping[str, Any]]
    ) -> list[Document]:
        """Awaited in PyMongo, not in motor."""
        cursor = cast(Any, collection.aggregate(pipeline))
        found = await cursor if inspect.isawaitable(cursor) else cursor
        return cast(list[Document], await found.to_list(None))

    async def drop(self, service: str) -> None:
        """Throw this service's records away: for tests, and for a copy that begins again."""
        await self._client.drop_database(self.database(service))

    async def close(self) -> None:
        """Awaited in PyMongo. In motor it waits for the server on the event loop, so it gets a thread of its own."""
        if self.driver is Driver.PYMONGO:
            await self._client.close()
        else:
            await asyncio.to_thread(cast(Any, self._client.close))


def _client(driver: Driver, address: str, options: dict[str, Any]) -> AsyncMongoClient[Document]:
    if driver is Driver.PYMONGO:
        return AsyncMongoClient(address, **options)
    from motor.motor_asyncio import AsyncIOMotorClient

    return cast(AsyncMongoClient[Document], AsyncIOMotorClient(address, **options))
