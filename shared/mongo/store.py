"""The records of one service in MongoDB."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar, cast

from shared.bookkeeping import Asked, Step
from shared.contracts.base import Message
from shared.mongo.batches import Batches
from shared.mongo.connection import Collection, Connection, Document
from shared.mongo.document import Projection, indexes, record_of, timed
from shared.mongo.lanes import Lanes
from shared.mongo.outbox import Outboxes, Place
from shared.mongo.search import search
from shared.mongo.trouble import PATIENCE_SECONDS, again_and_again, answered, patiently
from shared.ports import Clock, Decide, Ids, Op, Outgoing, Query
from shared.records import Outcome, Record, Versioned
from shared.times import milliseconds, moment_of

R = TypeVar("R", bound=Record)
T = TypeVar("T")

POLL_FIRST, POLL_AT_MOST = 0.05, 0.5
READ_REMEMBERED = 10_000
NEVER = 2**62


class MongoStore:
    """One collection per kind of record in the service's own database; every change is a compare-and-set in one
    document, so that a plain server, a replica set and a compatible server all serve."""

    def __init__(
        self, connection: Connection, service: str, kinds: Sequence[type[Record]], clock: Clock, ids: Ids
    ) -> None:
        self.duplicates_absorbed = 0
        self.applied_total = 0
        self._kinds = {kind: connection.collection(service, kind.kind) for kind in kinds}
        self._batches = {kind: Batches(collection) for kind, collection in self._kinds.items()}
        self._pulse = connection.collection(service, "pulse")
        self._clock = clock
        self._ids = ids
        self._outboxes = Outboxes(connection, self._kinds, secrets.token_hex(4), clock, ids)
        self._lanes = Lanes(self._batches, self._outboxes, clock, ids, self._announce)
        self._read: dict[Place, Versioned[Record]] = {}
        self._watchers: dict[Place, set[asyncio.Event]] = {}
        self._sooner = asyncio.Event()
        self._earliest_due = NEVER
        self._indexing: asyncio.Task[None] | None = None
        self._indexed = False
        self._fresh = False

    async def change(
        self,
        kind: type[R],
        id: str,
        decide: Decide[R],
        *,
        cause: Message | None = None,
        op: Op | None = None,
        expect: int | None = None,
    ) -> Outcome[R]:
        await self._prepared()
        asked = cast(Asked[Record], Asked(kind, id, decide, cause, op, expect))
        return cast(Outcome[R], await self._lanes.meet(asked))

    async def get(self, kind: type[R], id: str) -> Versioned[R] | None:
        await self._prepared()
        batches = self._batches[kind]
        document = await again_and_again(lambda: batches.read(id, Projection.RECORD), self._ids)
        return None if document is None else self._decoded(kind, document)

    async def find(self, kind: type[R], query: Query) -> list[Versioned[R]]:
        filter_, order = search(kind.indexes, query)
        collection = self._kinds[kind]
        found = await self._ask(
            lambda: (
                collection.find(filter_, Projection.RECORD.fields)
                .sort(order)
                .limit(query.limit)
                .to_list(None)
            )
        )
        return [self._decoded(kind, document) for document in found]

    async def due(self, kind: type[R], now: datetime, limit: int) -> list[str]:
        collection, until = self._kinds[kind], {"due_at": {"$lte": milliseconds(now)}}
        order = [("due_at", 1), ("_id", 1)]
        found = await self._ask(
            lambda: collection.find(until, {"_id": 1}).sort(order).limit(limit).to_list(None)
        )
        return [document["_id"] for document in found]

    def wrote_last(self, kind: type[R], id: str) -> bool:
        return self._lanes.remembers((kind, id))

    async def next_due(self) -> datetime | None:
        timers = [collection for kind, collection in self._kinds.items() if timed(kind)]
        self._earliest_due = NEVER
        found = [ms for ms in await asyncio.gather(*map(self._earliest, timers)) if ms is not None]
        self._earliest_due = min(found, default=NEVER)
        return moment_of(min(found)) if found else None

    async def wait(
        self, kind: type[R], id: str, until: Callable[[R], bool], seconds: float
    ) -> Versioned[R] | None:
        """Changes made in this process are noticed at once, others by looking again, less and less often."""
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        changed = asyncio.Event()
        watchers = self._watchers.setdefault((kind, id), set())
        watchers.add(changed)
        pause = POLL_FIRST
        try:
            while True:
                changed.clear()
                is_up = timer.done()
                found = await self.get(kind, id)
                if is_up or (found is not None and until(found.record)):
                    return found
                await _first(changed, timer, pause)
                pause = min(POLL_AT_MOST, pause * 1.5)
        finally:
            timer.cancel()
            watchers.discard(changed)
            if not watchers and self._watchers.get((kind, id)) is watchers:
                del self._watchers[kind, id]

    async def pending(self, limit: int) -> list[Outgoing]:
        await self._prepared()
        return await self._outboxes.pending(limit)

    async def trim(self, published: Sequence[Outgoing]) -> None:
        await self._outboxes.trim(published)

    async def outgoing(self) -> None:
        await self._outboxes.outgoing()

    async def outbox_age(self) -> float | None:
        await self._prepared()
        return await self._outboxes.age()

    async def outbox_depth(self) -> int:
        await self._prepared()
        return await self._outboxes.depth()

    async def changed(self) -> None:
        await self._sooner.wait()
        self._sooner.clear()

    async def ping(self) -> None:
        """Writes something small, unless something was written since last time."""
        if self._fresh:
            self._fresh = False
            return
        beat = {"$inc": {"beats": 1}}
        await self._prepared()
        await answered(self._pulse.update_one({"_id": "one"}, beat, upsert=True))

    async def close(self) -> None:
        """Finishes what is under way. The connection is closed by whoever opened it."""
        await self._lanes.finish(PATIENCE_SECONDS)
        await self._outboxes.close()

    def abandon(self) -> None:
        """Stop as if the process had died: what is not written is lost, and nobody is told."""
        self._lanes.abandon()
        self._outboxes.abandon()

    def _announce(self, asked: Asked[Record], step: Step[Record]) -> None:
        """What was decided is durable: count it, and wake those who wait for it."""
        self._fresh = True
        if not step.outcome.applied:
            self.duplicates_absorbed += asked.cause is not None
            return
        self.applied_total += 1
        if step.after is step.before:
            return
        due, was_due = step.after.due_at, step.before.due_at if step.before else None
        if due is not None and (was_due is None or due < was_due) and due < self._earliest_due:
            self._sooner.set()
        for watcher in self._watchers.get((asked.kind, asked.id), ()):
            watcher.set()

    async def _prepared(self) -> None:
        """Make sure once that the declared indexes are there; those who ask meanwhile wait for the same answer."""
        if self._indexed:
            return
        if self._indexing is None or (self._indexing.done() and not self._indexed):
            self._indexing = asyncio.create_task(self._index_all())
        await asyncio.shield(self._indexing)

    async def _index_all(self) -> None:
        await asyncio.gather(*map(self._index, self._kinds))
        self._indexed = True

    async def _index(self, kind: type[Record]) -> None:
        collection, declared = self._kinds[kind], indexes(kind)
        if declared:
            await patiently(lambda: collection.create_indexes(declared), self._ids)

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        await self._prepared()
        return await patiently(call, self._ids)

    def _decoded(self, kind: type[R], document: Document) -> Versioned[R]:
        """The record that was read; not decoded again if that very version was read before."""
        place, version = (kind, document["_id"]), document["version"]
        known = self._read.pop(place, None)
        if known is None or known.version != version:
            known = Versioned(record_of(kind, document), version)
        self._read[place] = known
        if len(self._read) > READ_REMEMBERED:
            del self._read[next(iter(self._read))]
        return cast(Versioned[R], known)

    async def _earliest(self, collection: Collection) -> int | None:
        there = {"due_at": {"$gte": -(2**62)}}
        found = await self._ask(
            lambda: collection.find(there, {"due_at": 1}).sort("due_at", 1).limit(1).to_list(None)
        )
        return cast(int, found[0]["due_at"]) if found else None


async def _first(changed: asyncio.Event, timer: asyncio.Future[None], seconds: float) -> None:
    """Return when the record was changed here, when time is up, or when it is time to look again."""
    watching = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait((watching, timer), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watching.cancel()
