"""The least that three services can do for B3 on Kafka and MongoDB: what is left of the goal when they only write and send.

Intake writes the need and sends it, the second step names twenty people without looking for anybody and writes nothing, the
third writes their invitations and counts that they were asked. No framework, no sign-in, nothing checked, no search, no plan,
no outbox, no watermark, offsets committed once a second: whatever does any of that takes longer. Everything that has come is
written and sent together. Run as
`python -m tests.bench_cluster.bare STEP PORT KAFKA MONGO PEOPLE NOTES`.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from itertools import count
from pathlib import Path

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import AsyncMongoClient

from tests.bench.bare import HEAD, Connection
from tests.bench_cluster.peer import AT_ONCE, Database, database, invite
from tests.bench_cluster.peer_search import Document

WANTED = 20
STRIDE = 997
ASKED, FOUND = "bare.asked", "bare.found"


class Step:
    """One of the three: the database, a producer, and what has come since it last wrote."""

    def __init__(self, db: Database, producer: AIOKafkaProducer) -> None:
        self.db = db
        self._producer = producer

    async def send(self, topic: str, values: list[Document]) -> None:
        """Send these and wait until all are acknowledged."""
        sent = [await self._producer.send(topic, orjson.dumps(v), key=v["need"].encode()) for v in values]
        await asyncio.gather(*sent)


class Intake:
    """Takes needs in: one write for all that have come while the last one was on its way."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._come: list[tuple[asyncio.Transport, Document]] = []
        self._busy: asyncio.Task[None] | None = None

    def take(self, transport: asyncio.Transport, body: bytes) -> None:
        if not body:
            transport.write(HEAD % (b"200 OK", 2, b"{}"))
            return
        self._come.append((transport, {"_id": str(uuid.uuid4()), **orjson.loads(body)}))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._come:
            come, self._come = self._come, []
            await self._step.db.bare_needs.insert_many([need for _, need in come], ordered=False)
            await self._step.send(ASKED, [{"need": need["_id"]} for _, need in come])
            for transport, need in come:
                answer = orjson.dumps({"id": need["_id"]})
                transport.write(HEAD % (b"201 Created", len(answer), answer))


async def intake(step: Step, port: int) -> None:
    took = Intake(step)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(took), "127.0.0.1", port)
    await server.serve_forever()


async def search(step: Step, consumer: AIOKafkaConsumer, people: int) -> None:
    """Twenty people of different pages of the collection, as those of a search are."""
    turns = count()
    while True:
        needs = await _next(consumer)
        if not needs:
            continue
        found = [
            {"need": asked["need"], "people": [n * STRIDE % people for n in range(first, first + WANTED)]}
            for asked in needs
            for first in (next(turns) * WANTED,)
        ]
        await step.send(FOUND, found)


async def invitations(step: Step, consumer: AIOKafkaConsumer, notes: Path) -> None:
    with notes.open("a") as out:
        while True:
            asked = await _next(consumer)
            if not asked:
                continue
            await invite(step.db, {a["need"]: a["people"] for a in asked})
            for a in asked:
                out.write(f"{a['need']} {time.monotonic():.6f} {WANTED}\n")
            out.flush()


async def _next(consumer: AIOKafkaConsumer) -> list[Document]:
    batch = await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)
    return [orjson.loads(record.value) for records in batch.values() for record in records]


async def main(name: str, port: int, kafka: str, mongo: str, people: int, notes: Path) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    step = Step(database(AsyncMongoClient(mongo)), producer)
    if name == "intake":
        await intake(step, port)
        return
    # Something must say that it runs.
    alive = await asyncio.get_running_loop().create_server(
        lambda: Connection(Intake(step)), "127.0.0.1", port
    )
    consumer = AIOKafkaConsumer(
        ASKED if name == "search" else FOUND, bootstrap_servers=kafka, group_id=f"bare.{name}",
        auto_commit_interval_ms=1000, auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    async with alive:
        if name == "search":
            await search(step, consumer, people)
        else:
            await invitations(step, consumer, notes)


if __name__ == "__main__":
    name, port, kafka, mongo, people, notes = sys.argv[1:]
    uvloop.run(main(name, int(port), kafka, mongo, int(people), Path(notes)))
