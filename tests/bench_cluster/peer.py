"""The plain peer: what a good engineer would write in a day on the same servers, a FastAPI service per step.

Intake, search, invitations: each writes to the database (majority, journal) and then sends (acknowledged by all replicas);
no outbox, no watermark, no waves. A fetched batch is handled side by side and committed once. Run as
`python -m tests.bench_cluster.peer STEP PORT KAFKA MONGO SEARCH NOTES`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from fastapi import FastAPI
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from tests.bench_cluster.peer_search import SEARCHES, Document

DATABASE = "peer"
ASKED, FOUND = "peer.asked", "peer.found"
DURABLE = WriteConcern("majority", j=True)
AT_ONCE = 50
TRIES = 5

Database = AsyncDatabase[Document]
Work = Callable[[Document], Awaitable[None]]


def database(client: AsyncMongoClient[Document]) -> Database:
    return client.get_database(DATABASE, write_concern=DURABLE, read_concern=ReadConcern("majority"))


class Ask(BaseModel):
    """A need as the peer takes it: the same facts that the search of the other side goes by."""

    household: str
    category: str
    note: str = Field("", max_length=2000)
    area: str
    lat: float
    lon: float
    skill: int
    hours: list[int]
    language: int
    minutes: int
    start_at: str
    end_at: str


class Step:
    """What every one of the three services has: the database, a producer, perhaps a topic to consume."""

    def __init__(self, name: str, kafka: str, mongo: str) -> None:
        self.name = name
        self._kafka = kafka
        self._client: AsyncMongoClient[Document] = AsyncMongoClient(mongo)
        self.db = database(self._client)
        self._producer: AIOKafkaProducer

    async def send(self, topic: str, value: Document, key: str) -> None:
        await self._producer.send_and_wait(topic, json.dumps(value).encode(), key=key.encode())

    def app(self, topic: str | None, work: Work | None) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            self._producer = AIOKafkaProducer(bootstrap_servers=self._kafka, acks="all")
            await self._producer.start()
            consuming = asyncio.create_task(self._consume(topic, work)) if topic and work else None
            yield
            if consuming:
                consuming.cancel()
            await self._producer.stop()
            await self._client.close()

        return FastAPI(lifespan=lifespan)

    async def _consume(self, topic: str, work: Work) -> None:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self._kafka, group_id=f"peer.{self.name}", enable_auto_commit=False,
            auto_offset_reset="earliest",
        )  # fmt: skip
        await consumer.start()
        try:
            while True:
                batch = await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)
                values = [json.loads(record.value) for records in batch.values() for record in records]
                if values:
                    await asyncio.gather(*(work(value) for value in values))
                    await consumer.commit()
        finally:
            await consumer.stop()


def intake(step: Step) -> FastAPI:
    """Takes the need in."""
    app = step.app(None, None)

    @app.post("/needs", status_code=201)
    async def post(ask: Ask) -> dict[str, Any]:
        id, said = str(uuid.uuid4()), ask.model_dump()
        await step.db.needs.insert_one({"_id": id, **said})
        await step.send(ASKED, {"need": id, **said}, id)
        return {"id": id}

    return app


def search(step: Step, how: str) -> FastAPI:
    """Finds twenty people."""

    async def work(ask: Document) -> None:
        people = await SEARCHES[how](step.db.people, ask)
        await step.db.matches.replace_one({"_id": ask["need"]}, {"people": people}, upsert=True)
        await step.send(FOUND, {"need": ask["need"], "people": people}, ask["need"])

    return step.app(ASKED, work)


def invitations(step: Step, notes: TextIO) -> FastAPI:
    """Asks them, and counts that they were asked."""

    async def work(found: Document) -> None:
        need, people = found["need"], sorted(found["people"])
        if people:
            await invite(step.db, {need: people})
        notes.write(f"{need} {time.monotonic():.6f} {len(people)}\n")
        notes.flush()

    return step.app(FOUND, work)


async def invite(db: Database, asked: Mapping[str, Sequence[int]]) -> None:
    """Write the invitations of these needs, and count that their people were asked."""
    rows = [{"_id": f"{need}/{p}", "need": need, "person": p, "status": "pending", "expires": time.time() + 3600}
            for need, people in asked.items() for p in people]  # fmt: skip
    everybody = sorted(p for people in asked.values() for p in people)
    await db.invitations.insert_many(rows, ordered=False)
    await _stubbornly(
        lambda: db.people.update_many({"_id": {"$in": everybody}}, {"$inc": {"contacts_left": -1}})
    )


async def _stubbornly(call: Callable[[], Awaitable[object]]) -> None:
    """Two who count the same people may block each other; the server then ends one, who may try again."""
    for left in reversed(range(TRIES)):
        try:
            await call()
            return
        except OperationFailure:
            if not left:
                raise


def main(name: str, port: int, kafka: str, mongo: str, how: str, notes: Path) -> None:
    step = Step(name, kafka, mongo)
    with notes.open("a") as out:
        match name:
            case "intake":
                app = intake(step)
            case "search":
                app = search(step, how)
            case _:
                app = invitations(step, out)
        uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    name, port, kafka, mongo, how, notes = sys.argv[1:]
    main(name, int(port), kafka, mongo, how, Path(notes))
