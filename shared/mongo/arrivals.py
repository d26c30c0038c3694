"""One collection while a copy from another store fills it. No service may be running on it meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import bson
from pymongo import ReplaceOne
from pymongo.errors import PyMongoError

from shared.bookkeeping import Held
from shared.errors import WusheError
from shared.mongo.connection import Connection, Document
from shared.mongo.document import fields, indexes, messages, whole
from shared.mongo.trouble import is_duplicate, patiently
from shared.ports import Ids, Outgoing
from shared.records import Record

PAGE = 100
TOGETHER_BYTES = 2_000_000
COPIED = "copy"
"""The name of the write that a copy makes: while it stands alone, no service has decided on the record since."""


def copied(held: Held[Record], waiting: Sequence[tuple[Outgoing, int]]) -> Document:
    """The document of a record that comes from another store, with what waits in its outbox and since when."""
    said = [each for message, since in waiting for each in messages((message,), since, COPIED)]
    return whole(held.record.id, fields(None, held), said, COPIED)


class Standing(NamedTuple):
    """A document as far as a copy has to know it before it writes. `touched` if any service has decided on it."""

    id: str
    version: int
    touched: bool


class Overtaken(WusheError):
    """Some document was changed by somebody else while the copy ran."""

    def __init__(self, collection: str) -> None:
        super().__init__(f"{collection}: somebody else writes here too; stop the services, and copy again")


class Arrivals:
    """Puts documents where none is, or where an earlier copy left one that nobody has touched, and nowhere else."""

    def __init__(self, connection: Connection, service: str, kind: type[Record], ids: Ids) -> None:
        self._collection = connection.collection(service, kind.kind)
        self._name = f"{service}.{kind.kind}"
        self._declared = indexes(kind)
        self._ids = ids

    async def prepare(self) -> None:
        """Declare the indexes; quick while the collection is empty."""
        if self._declared:
            await patiently(lambda: self._collection.create_indexes(self._declared), self._ids)

    async def standing(self) -> AsyncIterator[Standing]:
        """What is there already."""
        async for found in self._pages({"version": 1, "rev": 1, "writes": 1}):
            touched = found.get("rev") != 1 or found.get("writes") != [COPIED]
            yield Standing(found["_id"], int(found.get("version", 0)), touched)

    async def documents(self) -> AsyncIterator[Document]:
        """Everything that is there, whole."""
        async for found in self._pages(None):
            yield found

    async def those(self, ids: Sequence[str]) -> dict[str, Document]:
        """These documents, as far as they are there."""
        found = await patiently(lambda: self._collection.find({"_id": {"$in": ids}}).to_list(None), self._ids)
        return {document["_id"]: document for document in found}

    async def put(self, documents: Sequence[Document]) -> None:
        """Write these; safe to repeat. Raises Overtaken, Outage."""
        batch: list[ReplaceOne[Document]] = []
        size = 0
        for document in documents:
            size += len(bson.encode(document))
            batch.append(
                ReplaceOne({"_id": document["_id"], "rev": 1, "writes": COPIED}, document, upsert=True)
            )
            if size > TOGETHER_BYTES:
                await self._write(batch)
                batch, size = [], 0
        await self._write(batch)

    async def _write(self, batch: list[ReplaceOne[Document]]) -> None:
        if not batch:
            return
        try:
            await patiently(lambda: self._collection.bulk_write(batch, ordered=False), self._ids)
        except PyMongoError as e:
            if is_duplicate(e):
                raise Overtaken(self._name) from e
            raise

    async def _pages(self, projection: Document | None) -> AsyncIterator[Document]:
        look: Document = {}
        while found := await self._page(look, projection):
            for document in found:
                yield document
            look = {"_id": {"$gt": found[-1]["_id"]}}

    async def _page(self, look: Document, projection: Document | None) -> list[Document]:
        collection = self._collection
        return await patiently(
            lambda: collection.find(look, projection).sort("_id", 1).limit(PAGE).to_list(None), self._ids
        )
