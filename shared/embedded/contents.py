"""Everything that lies in a stopped data directory, for whoever carries it elsewhere. Nothing is written."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, cast

from shared.bookkeeping import Held
from shared.contracts.base import Topic
from shared.embedded.bus import SqliteBus
from shared.embedded.engine import SqliteEngine, open_read_only
from shared.embedded.opening import lock
from shared.embedded.table import Table, name_of
from shared.errors import Illegible
from shared.ports import Delivery, Outgoing
from shared.records import Record

PAGE = 500
OUR_OWN = {"pulse", "format", "log offsets"}


class Kept(NamedTuple):
    """A record with all that is kept beside it; `waiting` are the messages in its outbox, each with the milliseconds
    of when it was written."""

    held: Held[Record]
    waiting: Sequence[tuple[Outgoing, int]]


class Flaw(NamedTuple):
    """Something that this code cannot read or place; never quotes what is stored."""

    where: str
    reason: str


class Contents:
    """The records, outboxes and log in one file. `kinds` are all that should be in it, by service."""

    def __init__(
        self, engine: SqliteEngine, kinds: Mapping[str, Sequence[type[Record]]], topics: Sequence[Topic]
    ) -> None:
        self.topics = topics
        self._engine = engine
        self._bus = SqliteBus(engine)
        self._tables = {(s, kind): Table(s, kind) for s, each in kinds.items() for kind in each}
        self._outboxes = {service: self._outbox(service) for service in kinds}

    def count(self, service: str, kind: type[Record]) -> int:
        table = self._tables[service, kind]
        return cast(int, self._engine.read(table.count)[0][0]) if self._engine.has_table(table.name) else 0

    def records(self, service: str, kind: type[Record]) -> Iterator[Kept | Flaw]:
        """Every record of this kind, by id."""
        table, after = self._tables[service, kind], ""
        if not self._engine.has_table(table.name):
            return
        while rows := self._engine.read(table.page, (after, PAGE)):
            for row in rows:
                yield self._kept(service, table, row)
            after = rows[-1][0]

    def version(self, service: str, kind: type[Record], id: str) -> int | None:
        """The version of this record; None if there is none."""
        table = self._tables[service, kind]
        rows = self._engine.read(table.get, (id,)) if self._engine.has_table(table.name) else []
        return cast(int, rows[0][0]) if rows else None

    def waiting(self, service: str) -> int:
        """How many messages of this service wait to be published."""
        return sum(map(len, self._outboxes[service].values()))

    def length(self, topic: Topic) -> int:
        return self._bus.end(topic.name)

    def log(self, topic: Topic) -> Iterator[Delivery]:
        """Every message of this topic, in order."""
        start = 0
        while batch := self._bus.slice(topic.name, start, PAGE):
            yield from batch
            start = batch[-1].offset + 1

    def commits(self) -> dict[str, dict[str, int]]:
        """Where each group will read on, by topic."""
        return self._bus.commits()

    def strangers(self) -> list[str]:
        """Tables with something in them that nothing here knows what to do with."""
        known = {table.name for table in self._tables.values()} | OUR_OWN
        known |= {name_of(service, "outbox") for service in self._outboxes}
        known |= {f"log {topic.name}" for topic in self.topics}
        tables = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        strange = [name for (name,) in self._engine.read(tables) if name not in known and '"' not in name]
        return [name for name in strange if self._engine.read(f'SELECT 1 FROM "{name}" LIMIT 1')]

    def _kept(self, service: str, table: Table, row: Sequence[Any]) -> Kept | Flaw:
        try:
            held = table.held(row)
        except Illegible as no:
            return Flaw(f"{no.where} {no.id}", no.fields)
        return Kept(held, self._outboxes[service].get((table.kind.kind, held.record.id), ()))

    def _outbox(self, service: str) -> dict[tuple[str, str], list[tuple[Outgoing, int]]]:
        name = name_of(service, "outbox")
        if not self._engine.has_table(name):
            return {}
        rows = self._engine.read(
            f'SELECT kind, id, sequence, topic, key, message, written_at FROM "{name}" ORDER BY kind, id, sequence'
        )
        said = [(Outgoing(*row[:6]), int(row[6])) for row in rows]
        return {place: list(each) for place, each in groupby(said, key=lambda one: (one[0].kind, one[0].id))}


@asynccontextmanager
async def standing_still(
    database: Path, kinds: Mapping[str, Sequence[type[Record]]], topics: Sequence[Topic]
) -> AsyncIterator[Contents]:
    """What lies in this file while nothing runs on it, and nothing can be started. Raises InUse, Outage."""
    held = lock(database.parent, still=True)
    try:
        engine = open_read_only(database)
        try:
            yield Contents(engine, kinds, topics)
        finally:
            await engine.close()
    finally:
        os.close(held)
