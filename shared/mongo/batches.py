"""What is asked of one collection at about the same time goes to the server in one call, and becomes durable with one.

While a call is under way the next one gathers. Each document is still changed by itself, and each caller is told what
became of their own: a server does not say which of several updates found its document, but the documents do, since
each keeps the names of its last writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.mongo.caught import Caught
from shared.mongo.connection import Collection, Document
from shared.mongo.trouble import ANSWER_SECONDS, answered, is_duplicate

A = TypeVar("A")
T = TypeVar("T")

AT_MOST = 64


class Gathering(Generic[A, T]):
    """Gathers questions while `carry` is busy with those before, and then carries them together.

    `carry` gives the answers in the order of the questions; an error among them is raised where it belongs.
    """

    def __init__(self, carry: Callable[[Sequence[A]], Awaitable[Sequence[T | BaseException]]]) -> None:
        self._carry = carry
        self._waiting: list[tuple[A, asyncio.Future[T]]] = []
        self._carrying: asyncio.Task[None] | None = None

    async def ask(self, question: A) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._carrying is None:
            self._carrying = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:AT_MOST], self._waiting[AT_MOST:]
            caught = Caught()
            with caught:
                answers = await self._carry([question for question, _ in batch])
            for n, (_, waiting) in enumerate(batch):
                if not waiting.done():
                    _settle(waiting, caught.error or answers[n])
        self._carrying = None


class Write(NamedTuple):
    """A compare-and-set: the whole new document, or orders for the one that has this revision."""

    id: str
    token: str
    rev: int
    new: Document | None
    orders: Document

    @property
    def request(self) -> InsertOne[Document] | UpdateOne:
        return UpdateOne({"_id": self.id, "rev": self.rev}, self.orders) if self.new is None else InsertOne(self.new)


class Batches:
    """Reads and writes of one collection by id."""

    def __init__(self, collection: Collection, projections: Sequence[Document]) -> None:
        self._collection = collection
        self._writes: Gathering[Write, bool] = Gathering(self._write)
        self._reads: list[Gathering[str, Document | None]] = [Gathering(self._read(each)) for each in projections]

    async def read(self, id: str, projection: int) -> Document | None:
        """The document with only the fields of this projection. Raises Doubt or Outage."""
        return await self._reads[projection].ask(id)

    async def write(self, write: Write) -> bool:
        """Whether it was done; if not, the document was another. Raises Doubt, Outage, or what is at fault in it."""
        return await self._writes.ask(write)

    def _read(self, projection: Document) -> Callable[[Sequence[str]], Awaitable[Sequence[Document | None]]]:
        async def read(ids: Sequence[str]) -> Sequence[Document | None]:
            if len(ids) == 1:
                return [await answered(self._collection.find_one({"_id": ids[0]}, projection))]
            these = {"_id": {"$in": sorted(set(ids))}}
            found = await answered(self._collection.find(these, projection).to_list(None))
            by_id = {document["_id"]: document for document in found}
            return [by_id.get(id) for id in ids]

        return read

    async def _write(self, writes: Sequence[Write]) -> Sequence[bool | BaseException]:
        """In the order of ids, so that two processes that write the same documents cannot wait for each other."""
        if len(writes) == 1:
            return [await self._write_one(writes[0])]
        requests = [write.request for write in sorted(writes, key=lambda write: write.id)]
        caught = Caught()
        with caught:
            done = await answered(self._bulk(requests))
            if done.inserted_count + done.matched_count == len(writes):
                return [True] * len(writes)
            return await self._verify(writes)
        if is_duplicate(caught.error):
            return await self._verify(writes)
        ...
