"""What is asked of one collection at about the same time goes to the server in one call, and becomes durable with one.

While a call is under way the next one gathers. Each document is still changed by itself, and each caller is told what
became of their own: a server does not say which of several updates found its document, but the documents do, since
each keeps the names of its last writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.caught import Caught
from shared.errors import Outage
from shared.mongo.connection import Collection, Document
from shared.mongo.document import Projection
from shared.mongo.trouble import answered

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
            answers: Sequence[T | BaseException] = ()
            caught = Caught()
            with caught:
                answers = await self._carry([question for question, _ in batch])
            if isinstance(caught.error, Outage):  # whoever came meanwhile need not find out by themselves
                batch, self._waiting = batch + self._waiting, []
            for n, (_, waiting) in enumerate(batch):
                if not waiting.done():
                    _settle(waiting, answers[n] if caught.error is None else caught.error)
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
        return (
            UpdateOne({"_id": self.id, "rev": self.rev}, self.orders)
            if self.new is None
            else InsertOne(self.new)
        )


class Batches:
    """Reads and writes of one collection by id."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._writes: Gathering[Write, bool] = Gathering(self._write)
        self._reads: dict[Projection, Gathering[str, Document | None]] = {}

    async def read(self, id: str, projection: Projection) -> Document | None:
        """The document, with only these fields of it. Raises Doubt or Outage."""
        reads = self._reads.get(projection)
        if reads is None:
            reads = self._reads[projection] = Gathering(self._read(projection.fields))
        return await reads.ask(id)

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
        if len(writes) == 1:
            return [await self._one(writes[0])]
        caught = Caught()
        with caught:
            return await self._many(writes)
        if isinstance(caught.error, Outage):
            raise caught.error
        return [await self._apart(write) for write in writes]

    async def _many(self, writes: Sequence[Write]) -> Sequence[bool]:
        """In the order of ids, so that two processes that write the same documents cannot wait for each other."""
        requests = [write.request for write in sorted(writes, key=lambda write: write.id)]
        try:
            result = await answered(self._collection.bulk_write(requests, ordered=False))
            done = result.inserted_count + result.matched_count == len(writes)
        except BulkWriteError:  # some were there already
            done = False
        return [True] * len(writes) if done else await self._verify(writes)

    async def _verify(self, writes: Sequence[Write]) -> Sequence[bool]:
        these = {"_id": {"$in": [write.id for write in writes]}}
        found = await answered(self._collection.find(these, {"writes": 1}).to_list(None))
        tokens = {token for document in found for token in document["writes"]}
        return [write.token in tokens for write in writes]

    async def _one(self, write: Write) -> bool:
        if write.new is None:
            result = await answered(
                self._collection.update_one({"_id": write.id, "rev": write.rev}, write.orders)
            )
            return bool(result.matched_count)
        try:
            await answered(self._collection.insert_one(write.new))
        except DuplicateKeyError:
            return False
        return True

    async def _apart(self, write: Write) -> bool | BaseException:
        """One of several that failed together, because of one of them."""
        caught = Caught()
        with caught:
            return await self._one(write)
        assert caught.error is not None
        return caught.error


def _settle(waiting: asyncio.Future[T], answer: T | BaseException) -> None:
    if isinstance(answer, BaseException):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
