"""The outboxes of one service: what waits in its records to be published."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

from pymongo import UpdateOne

from shared.mongo.connection import Collection, Connection, Document
from shared.mongo.document import Projection, outgoing_of
from shared.mongo.trouble import patiently
from shared.ports import Clock, Ids, Outgoing
from shared.records import Record
from shared.times import milliseconds

OTHERS_EVERY_SECONDS = 2.0
"""How often messages of other processes are looked for: they publish their own, unless they have died."""
TRIM_TOGETHER = 100
ANYBODY: Document = {"outbox.writer": {"$gt": ""}}


class Outboxes:
    """`writer` names this process in the messages that it writes."""

    def __init__(
        self,
        connection: Connection,
        kinds: Mapping[type[Record], Collection],
        writer: str,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._connection = connection
        self._kinds = {kind: collection for kind, collection in kinds.items() if kind.topic is not None}
        self._writer = writer
        self._clock = clock
        self._ids = ids
        self._others_at = 0.0
        self._waiting = asyncio.Event()
        self._looked = False
        self._said = 0
        self._seen: tuple[int, set[tuple[str, str, int]]] | None = None

    def say(self) -> None:
        """Something was written into an outbox."""
        self._said += 1
        self._waiting.set()

    async def outgoing(self) -> None:
        if not self._looked:  # a process before this one may have left something
            parts = await asyncio.gather(*(self._of(kind, ANYBODY, 1) for kind in self._kinds))
            self._looked = True
            if any(parts):
                self._waiting.set()
        await self._waiting.wait()

    async def pending(self, limit: int) -> list[Outgoing]:
        """Those of records that this process has written to; now and then those of all others too.

        All messages of such a record are given, whoever wrote them, so that none overtakes an earlier one.
        """
        said, now = self._said, asyncio.get_running_loop().time()
        mine: Document = {"outbox.writer": self._writer}
        everybody = now >= self._others_at
        if everybody:
            self._others_at = now + OTHERS_EVERY_SECONDS
        look = ANYBODY if everybody else mine
        parts = await asyncio.gather(*(self._of(kind, look, limit) for kind in self._kinds))
        found = [message for part in parts for message in part]
        if everybody and found:
            self._waiting.set()
        self._seen = (said, {message[:3] for message in found}) if len(found) < limit else None
        self._rest_if_empty()
        return found[:limit]

    async def trim(self, published: Sequence[Outgoing]) -> None:
        done: dict[str, dict[str, list[int]]] = {}
        for message in published:
            done.setdefault(message.kind, {}).setdefault(message.id, []).append(message.sequence)
        for kind, collection in self._kinds.items():
            pulls = [_pull(id, sequences) for id, sequences in sorted(done.get(kind.kind, {}).items())]
            for first in range(0, len(pulls), TRIM_TOGETHER):
                await self._trim(collection, pulls[first : first + TRIM_TOGETHER])
        if self._seen is not None:
            self._seen[1].difference_update(message[:3] for message in published)
            self._rest_if_empty()

    async def age(self) -> float | None:
        found = await self._each({"$min": {"$min": "$outbox.written_at"}})
        return (milliseconds(self._clock.now()) - min(found)) / 1000 if found else None

    async def depth(self) -> int:
        return sum(await self._each({"$sum": {"$size": "$outbox"}}))

    async def _each(self, figure: Document) -> list[int]:
        """This figure over all records with something in their outbox, for each kind that has such."""
        pipeline: list[Document] = [{"$match": ANYBODY}, {"$group": {"_id": None, "figure": figure}}]
        found: list[int] = []
        for collection in self._kinds.values():
            for row in await patiently(_aggregate(self._connection, collection, pipeline), self._ids):
                found.append(row["figure"])
        return found

    def _rest_if_empty(self) -> None:
        """All that was there is published, and nothing was said since it was looked for."""
        if self._seen == (self._said, set()):
            self._waiting.clear()

    async def _of(self, kind: type[Record], look: Document, limit: int) -> list[Outgoing]:
        collection = self._kinds[kind]
        found = await patiently(
            lambda: collection.find(look, Projection.MESSAGES.fields).limit(limit).to_list(None), self._ids
        )
        return [message for document in found for message in outgoing_of(kind, document)]

    async def _trim(self, collection: Collection, pulls: list[UpdateOne]) -> None:
        """In the order of ids, so that two who trim the same records cannot wait for each other."""
        await patiently(lambda: cast(Awaitable[Any], collection.bulk_write(pulls, ordered=False)), self._ids)


def _pull(id: str, sequences: list[int]) -> UpdateOne:
    return UpdateOne({"_id": id}, {"$pull": {"outbox": {"sequence": {"$in": sequences}}}})


def _aggregate(connection: Connection, collection: Collection, pipeline: list[Document]) -> Any:
    return lambda: connection.aggregate(collection, pipeline)
