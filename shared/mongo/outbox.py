"""The outboxes of one service: what waits in its records to be published.

What this process has said it remembers, so that the relay need not ask the store for it. The store is asked for what
others have left, for records in which something else was seen to wait, and for everything after a flood.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple, cast

from pymongo import UpdateOne

from shared.caught import Caught
from shared.errors import Outage
from shared.mongo.connection import Collection, Connection, Document
from shared.mongo.document import Projection, outgoing_of
from shared.mongo.trouble import patiently
from shared.ports import Clock, Ids, Outgoing
from shared.records import Record
from shared.times import milliseconds

OTHERS_EVERY_SECONDS = 2.0
"""How often messages of other processes are looked for: they publish their own, unless they have died."""
LEFT_MS = 3_000
"""A message of this age was left by a process that has died, or by a call of ours that we had given up. A younger one of
another process is its own to publish, or published and not yet taken out."""
TRIM_SECONDS = 0.5
"""How long published messages may lie: the next change of their record takes them out at no cost."""
TRIM_TOGETHER = 100
LOOKED_AT = 500
REMEMBERED = 20_000
"""Messages that wait. With more of them the broker is gone for long, and the store is the better place."""
ANYBODY: Document = {"outbox.writer": {"$gt": ""}}

Place = tuple[type[Record], str]


class Said(NamedTuple):
    """A message that waits, when it was written and by which process."""

    outgoing: Outgoing
    written_at: int
    writer: str


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
        self.writer = writer
        self._connection = connection
        self._kinds = {kind: collection for kind, collection in kinds.items() if kind.topic is not None}
        self._named = {kind.kind: kind for kind in self._kinds}
        self._clock = clock
        self._ids = ids
        self._queue: dict[Place, dict[int, Said]] = {}
        self._count = 0
        self._unsure: set[Place] = set()
        self._looked_into: set[Place] = set()
        """Those of the unsure that the store is being asked about."""
        self._flooded = False
        self._relayed = False
        """Whether a relay lives here. Where none does, what is remembered is never published and only the store can tell."""
        self._heard = 0
        self._published: dict[Place, set[int]] = {}
        self._others_at = 0.0
        self._looked = False
        self._waiting = asyncio.Event()
        self._trimming = asyncio.Lock()
        self._trimmer: asyncio.Task[None] | None = None

    def say(self, place: Place, messages: Sequence[Outgoing], written_at: int) -> None:
        """These were written into the outbox of this record."""
        self._heard += 1
        if not self._flooded:
            self._add(place, {m.sequence: Said(m, written_at, self.writer) for m in messages})
        self._waiting.set()

    def doubt(self, place: Place) -> None:
        """Something may wait there that is not known here: look before any of it is published."""
        if place[0] not in self._kinds:
            return
        if self._flooded:  # what is being read just now may be older than that
            self._heard += 1
            return
        self._unsure.add(place)
        self._waiting.set()

    def knows(self, place: Place, sequences: Sequence[int]) -> bool:
        """Whether all of these are remembered here, as waiting or as published."""
        waiting, published = self._queue.get(place, {}), self._published.get(place, set())
        return all(sequence in waiting or sequence in published for sequence in sequences)

    def is_spent(self, place: Place) -> bool:
        """Whether something lies there, and all of it is known to be published. In a flood nothing is known."""
        if self._flooded or place in self._unsure or place in self._looked_into:
            return False
        return place in self._published and place not in self._queue

    def emptied(self, place: Place) -> None:
        """A change has taken out what was published."""
        self._published.pop(place, None)

    async def outgoing(self) -> None:
        if not self._looked:  # a process before this one may have left something
            await self._look_around()
        await self._waiting.wait()

    async def pending(self, limit: int) -> list[Outgoing]:
        """Those that this process has written, and now and then those of all others too.

        Of a record in which others have written too all messages are given, so that none overtakes an earlier one.
        """
        self._relayed = True
        if self._flooded:
            return await self._straight_from_the_store(limit)
        if asyncio.get_running_loop().time() >= self._others_at:
            caught = Caught()
            with caught:
                await self._look_around()
            if caught.error is not None and not self._queue:  # what is known can be published meanwhile
                raise caught.error
        if self._unsure:
            await self._make_sure()
        self._rest_if_empty()
        return [said.outgoing for said in islice(self._sure(), limit)]

    async def trim(self, published: Sequence[Outgoing]) -> None:
        """They are forgotten here at once, and in the store a moment later: published again after a crash they do no harm."""
        for message in published:
            kind = self._named.get(message.kind)
            if kind is not None:
                self._published.setdefault((kind, message.id), set()).add(message.sequence)
                self._drop((kind, message.id), message.sequence)
        if self._trimmer is None and self._published:
            self._trimmer = asyncio.create_task(self._trim_again_and_again(), name="trim")
        self._rest_if_empty()

    async def age(self) -> float | None:
        if self._relayed and not self._flooded:
            written_at = min((said.written_at for said in self._all()), default=None)
        else:
            written_at = min(await self._each({"$min": {"$min": "$outbox.written_at"}}), default=None)
        return None if written_at is None else (milliseconds(self._clock.now()) - written_at) / 1000

    async def depth(self) -> int:
        if self._relayed and not self._flooded:
            return self._count
        return sum(await self._each({"$sum": {"$size": "$outbox"}}))

    async def close(self) -> None:
        """Take out of the store what was published, if it can be reached."""
        self.abandon()
        with suppress(Outage):
            await self._take_out()

    def abandon(self) -> None:
        if self._trimmer is not None:
            self._trimmer.cancel()

    def _all(self) -> Iterator[Said]:
        return (said for waiting in self._queue.values() for said in waiting.values())

    def _sure(self) -> Iterator[Said]:
        """Those of records in which nothing else waits. Some may have come to be in doubt while others were looked at."""
        unsure = self._unsure
        return (said for at, waiting in self._queue.items() if at not in unsure for said in waiting.values())

    def _add(self, place: Place, more: Mapping[int, Said]) -> None:
        known = self._queue.setdefault(place, {})
        late = bool(known) and bool(more) and min(more) < max(known)
        self._count += len(more.keys() - known.keys())
        known.update(more)
        if late:
            self._queue[place] = dict(sorted(known.items()))
        if self._count > REMEMBERED:
            self._flooded = True
            self._queue.clear()
            self._unsure.clear()
            self._count = 0

    def _drop(self, place: Place, sequence: int) -> None:
        waiting = self._queue.get(place)
        if waiting is not None and waiting.pop(sequence, None) is not None:
            self._count -= 1
            if not waiting:
                del self._queue[place]

    def _rest_if_empty(self) -> None:
        if not self._queue and not self._unsure and not self._flooded:
            self._waiting.clear()

    async def _look_around(self) -> None:
        """See what others have left, or calls of ours that had been given up; at first everything."""
        self._others_at = asyncio.get_running_loop().time() + OTHERS_EVERY_SECONDS
        await self._take_out()
        left = milliseconds(self._clock.now()) - LEFT_MS
        for place, found in (await self._find(ANYBODY, LOOKED_AT)).items():
            if not self._looked or min(said.written_at for said in found.values()) < left:
                self._learn(place, found)
        self._looked = True

    async def _make_sure(self) -> None:
        unsure, self._unsure = self._unsure, set()
        self._looked_into = unsure
        caught = Caught()
        with caught:
            for kind in self._kinds:
                ids = sorted(id for of, id in unsure if of is kind)
                for first in range(0, len(ids), LOOKED_AT):
                    look = {"_id": {"$in": ids[first : first + LOOKED_AT]}}
                    for place, found in (await self._find(look, LOOKED_AT, kind)).items():
                        self._learn(place, found)
        self._looked_into = set()
        if caught.error is not None:
            self._unsure |= unsure
            raise caught.error

    def _learn(self, place: Place, found: Mapping[int, Said]) -> None:
        """What was found in an outbox joins what is known of it, but for what was published meanwhile."""
        published = self._published.get(place, set())
        known = self._queue.get(place, {})
        news = {n: said for n, said in found.items() if n not in published and n not in known}
        if news and not self._flooded:
            self._add(place, news)
            self._waiting.set()

    async def _straight_from_the_store(self, limit: int) -> list[Outgoing]:
        """After a flood; once all of what waits comes in one answer it is remembered again."""
        await self._take_out()
        heard = self._heard
        found = await self._find(ANYBODY, limit)
        waiting = [said.outgoing for of in found.values() for said in of.values()]
        if len(waiting) < limit and heard == self._heard:
            self._flooded = False
            for place, of in found.items():
                self._learn(place, of)
            self._rest_if_empty()
        return waiting[:limit]

    async def _find(
        self, look: Document, limit: int, only: type[Record] | None = None
    ) -> dict[Place, dict[int, Said]]:
        kinds = [kind for kind in self._kinds if only is None or kind is only]
        parts = await asyncio.gather(*(self._documents(kind, look, limit) for kind in kinds))
        return {
            (kind, document["_id"]): _waiting_in(kind, document)
            for kind, documents in zip(kinds, parts, strict=True)
            for document in documents
        }

    async def _documents(self, kind: type[Record], look: Document, limit: int) -> list[Document]:
        collection = self._kinds[kind]
        return await patiently(
            lambda: collection.find(look, Projection.MESSAGES.fields).limit(limit).to_list(None), self._ids
        )

    async def _trim_again_and_again(self) -> None:
        try:
            while self._published:
                await asyncio.sleep(TRIM_SECONDS)
                with suppress(Outage):
                    await self._take_out()
        finally:
            self._trimmer = None

    async def _take_out(self) -> None:
        """Take what was published out of the store. In the order of ids, so that two who do this at once cannot wait for
        each other."""
        async with self._trimming:
            done = {place: set(sequences) for place, sequences in self._published.items()}
            for kind, collection in self._kinds.items():
                mine = sorted((id, sequences) for (of, id), sequences in done.items() if of is kind)
                for first in range(0, len(mine), TRIM_TOGETHER):
                    await self._pull(collection, mine[first : first + TRIM_TOGETHER])
                    for id, sequences in mine[first : first + TRIM_TOGETHER]:
                        self._forget((kind, id), sequences)

    async def _pull(self, collection: Collection, done: Sequence[tuple[str, set[int]]]) -> None:
        pulls = [
            UpdateOne({"_id": id}, {"$pull": {"outbox": {"sequence": {"$in": sorted(sequences)}}}})
            for id, sequences in done
        ]
        await patiently(lambda: cast(Awaitable[Any], collection.bulk_write(pulls, ordered=False)), self._ids)

    def _forget(self, place: Place, sequences: set[int]) -> None:
        left = self._published.get(place)
        if left is not None:
            left -= sequences
            if not left:
                del self._published[place]

    async def _each(self, figure: Document) -> list[int]:
        """This figure over all records with something in their outbox, for each kind that has such."""
        pipeline: list[Document] = [{"$match": ANYBODY}, {"$group": {"_id": None, "figure": figure}}]
        found: list[int] = []
        for collection in self._kinds.values():
            rows = await patiently(_aggregate(self._connection, collection, pipeline), self._ids)
            found += [row["figure"] for row in rows]
        return found


def _waiting_in(kind: type[Record], document: Document) -> dict[int, Said]:
    """What waits in a record's outbox, in order."""
    said = {each["sequence"]: (each["written_at"], each["writer"]) for each in document["outbox"]}
    return {
        message.sequence: Said(message, *said[message.sequence]) for message in outgoing_of(kind, document)
    }


def _aggregate(connection: Connection, collection: Collection, pipeline: list[Document]) -> Any:
    return lambda: connection.aggregate(collection, pipeline)
