"""The records of one service in SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Literal, NamedTuple, TypeVar, cast

from shared.bookkeeping import Asked, Held, Step, weigh
from shared.caught import Caught
from shared.contracts.base import Message
from shared.embedded.engine import SqliteEngine
from shared.embedded.outbox import Outbox
from shared.embedded.search import search
from shared.embedded.table import Table, Write, name_of
from shared.errors import Outage
from shared.many import Wanted, one_by_one
from shared.ports import Clock, Decide, Ids, Op, Outgoing, Query
from shared.records import Outcome, Record, Versioned
from shared.times import milliseconds, moment_of

R = TypeVar("R", bound=Record)

REMEMBERED = 20_000
KNOWN = 20_000
"""So many records are remembered as the last commit left them."""
MANY = 64
"""So many changes are carried out at once before the event loop may turn to others."""


class Decided(NamedTuple):
    """A step, and the number of the first message that it puts into the outbox."""

    step: Step[Record]
    first: int


class SqliteStore:
    """One table per kind of record and one outbox for the service, written together.

    The writer remembers the records it met last, decoded: it is the only one that writes, so they are right
    until a batch is rolled back. Readers are given what was last committed, from memory where it is known.
    """

    keeps_order: Literal[True] = True
    reads_on_the_spot: Literal[True] = True

    def __init__(
        self, engine: SqliteEngine, service: str, kinds: Sequence[type[Record]], clock: Clock, ids: Ids
    ) -> None:
        self.duplicates_absorbed = 0
        self.applied_total = 0
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._tables = {kind: Table(service, kind) for kind in kinds}
        self._remembered: OrderedDict[tuple[type[Record], str], Held[Record]] = OrderedDict()
        self._known: OrderedDict[tuple[type[Record], str], Held[Record]] = OrderedDict()
        self._watchers: dict[tuple[type[Record], str], set[asyncio.Future[None]]] = {}
        self._said = asyncio.Event()
        self._sooner = asyncio.Event()
        timed = " UNION ALL ".join(table.next_due for table in self._tables.values() if table.timed)
        self._next_due = timed and f"SELECT min(due_at) FROM ({timed})"
        self._outbox = Outbox(engine, name_of(service, "outbox"))
        self._append = self._outbox.insert
        engine.prepare(
            *(table.prepare for table in self._tables.values()),
            *self._outbox.statements,
        )
        engine.when_undone(self._remembered.clear)
        engine.when_undone(self._known.clear)
        self._outbox.open()

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
        asked = cast(Asked[Record], Asked(kind, id, decide, cause, op, expect))
        step, _ = await self._engine.write(
            partial(self._carry_out, asked), partial(self._announce, asked), sync=cause is None
        )
        if step.refusal is not None:
            raise step.refusal
        return cast(Outcome[R], step.outcome)

    async def change_many(
        self, kind: type[R], wanted: Sequence[Wanted[R]], *, cause: Message | None = None
    ) -> list[Outcome[R] | Exception]:
        """See `shared.many`: some at a time are carried out by one job of the writer."""
        parts = [wanted[n : n + MANY] for n in range(0, len(wanted), MANY)]
        found: list[Outcome[R] | Exception] = []
        for part in await asyncio.gather(*(self._change_some(kind, part, cause) for part in parts)):
            found += part
        return found

    async def _change_some(
        self, kind: type[R], wanted: Sequence[Wanted[R]], cause: Message | None
    ) -> list[Outcome[R] | Exception]:
        asked = [cast(Asked[Record], Asked(kind, one.id, one.decide, cause, one.op, None)) for one in wanted]
        caught = Caught()
        with caught:
            steps = await self._engine.write(
                partial(self._carry_out_all, asked), partial(self._announce_all, asked), sync=cause is None
            )
            return [cast("Outcome[R] | Exception", _result(step)) for step in steps]
        if isinstance(caught.error, Outage):
            raise caught.error
        # One of them could not be written and spoiled the job, so each must have a job of its own.
        return await one_by_one(self, kind, wanted, cause)

    async def get(self, kind: type[R], id: str) -> Versioned[R] | None:
        known = self._known.get((kind, id))
        if known is not None:
            self._engine.must_be_open()
            return Versioned(cast(R, known.record), known.version)
        rows = self._engine.read(self._tables[kind].get, (id,))
        return self._versioned(kind, id, *rows[0]) if rows else None

    async def find(self, kind: type[R], query: Query) -> list[Versioned[R]]:
        sql, values = search(self._tables[kind].name, kind.indexes, query)
        return [self._versioned(kind, *row) for row in self._engine.read(sql, values)]

    async def due(self, kind: type[R], now: datetime, limit: int) -> list[str]:
        return [row[0] for row in self._engine.read(self._tables[kind].due, (milliseconds(now), limit))]

    def wrote_last(self, kind: type[R], id: str) -> bool:
        return True

    async def next_due(self) -> datetime | None:
        if not self._next_due:
            return None
        earliest = self._engine.read(self._next_due)[0][0]
        return None if earliest is None else moment_of(earliest)

    async def wait(
        self, kind: type[R], id: str, until: Callable[[R], bool], seconds: float
    ) -> Versioned[R] | None:
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            while True:
                is_up = timer.done()
                found = await self.get(kind, id)
                if is_up or (found is not None and until(found.record)):
                    return found
                await self._next_change((kind, id), timer)
        finally:
            timer.cancel()

    async def pending(self, limit: int) -> list[Outgoing]:
        return self._outbox.pending(limit)

    async def trim(self, published: Sequence[Outgoing]) -> None:
        if published:
            places = [message[:3] for message in published]
            remove, removed = partial(self._outbox.remove, places), partial(self._outbox.removed, places)
            await self._engine.write(remove, removed, sync=False)

    async def outgoing(self) -> None:
        while not self._outbox.count:
            self._said.clear()
            await self._said.wait()

    async def outbox_age(self) -> float | None:
        oldest = self._outbox.oldest_ms()
        return None if oldest is None else (milliseconds(self._clock.now()) - oldest) / 1000

    async def outbox_depth(self) -> int:
        return self._outbox.count

    async def changed(self) -> None:
        await self._sooner.wait()
        self._sooner.clear()

    async def ping(self) -> None:
        await self._engine.ping()

    async def close(self) -> None:
        """The engine is shared, and is closed by whoever opened it."""

    def _carry_out(self, asked: Asked[Record], connection: sqlite3.Connection) -> Decided:
        """The job of `change`: decide on the newest state, then write what comes of it."""
        writes: list[Write] = []
        decided = self._decide(asked, self._clock.now(), connection, writes)
        with ExitStack() as broken_off:
            broken_off.callback(self._remembered.clear)
            for sql, values in writes:
                connection.execute(sql, values)
            broken_off.pop_all()
        return decided

    def _carry_out_all(
        self, asked: Sequence[Asked[Record]], connection: sqlite3.Connection
    ) -> list[Decided | Exception]:
        """The job of `change_many`: later ones see what earlier ones did, and all is written at the end."""
        writes: list[Write] = []
        steps: list[Decided | Exception] = []
        now = self._clock.now()
        with ExitStack() as broken_off:
            broken_off.callback(self._remembered.clear)
            for one in asked:
                caught = Caught()
                with caught:
                    steps.append(self._decide(one, now, connection, writes))
                if isinstance(caught.error, sqlite3.Error):
                    raise caught.error
                if caught.error is not None:
                    steps.append(caught.error)
            self._write_all(connection, writes)
            broken_off.pop_all()
        return steps

    def _write_all(self, connection: sqlite3.Connection, writes: Sequence[Write]) -> None:
        """Records in their order, then what they say, which lies in the order of the records."""
        records = (write for write in writes if write.sql is not self._append)
        for sql, same in groupby(records, key=itemgetter(0)):
            connection.executemany(sql, [write.values for write in same])
        connection.executemany(self._append, [w.values for w in writes if w.sql is self._append])

    def _decide(
        self, asked: Asked[Record], now: datetime, connection: sqlite3.Connection, writes: list[Write]
    ) -> Decided:
        """Decide on the newest state; what has to be written is encoded and comes last in `writes`."""
        place = (asked.kind, asked.id)
        table = self._tables[asked.kind]
        held = self._recall(place, table, connection)
        step = weigh(asked, held, now, self._ids)
        first = 0
        if step.after is not held:
            writes.append(table.save(step))
            if step.outgoing:
                first, written_at = self._outbox.numbers(len(step.outgoing)), milliseconds(now)
                for n, (kind, id, sequence, topic, key, message) in enumerate(step.outgoing, first):
                    values = (n, kind, id, sequence, topic, key, written_at, message)
                    writes.append(Write(self._append, values))
            self._remembered[place] = step.after
        return Decided(step, first)

    def _recall(
        self, place: tuple[type[Record], str], table: Table, connection: sqlite3.Connection
    ) -> Held[Record] | None:
        held = self._remembered.get(place)
        if held is not None:
            self._remembered.move_to_end(place)
            return held
        held = table.load(connection, place[1])
        if held is not None:
            self._remembered[place] = held
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return held

    def _announce(self, asked: Asked[Record], decided: Decided) -> None:
        """What was decided is durable: count it, and wake those who wait for it."""
        step, first = decided
        self._know((asked.kind, asked.id), step.after)
        if not step.outcome.applied:
            self.duplicates_absorbed += asked.cause is not None
            return
        self.applied_total += 1
        if step.outgoing:
            self._outbox.note(first, step.outgoing)
            self._said.set()
        if step.after is step.before:
            return
        due, was_due = step.after.due_at, step.before.due_at if step.before else None
        if due is not None and (was_due is None or due < was_due):
            self._sooner.set()
        for watcher in self._watchers.pop((asked.kind, asked.id), ()):
            if not watcher.done():
                watcher.set_result(None)

    def _announce_all(self, asked: Sequence[Asked[Record]], steps: Sequence[Decided | Exception]) -> None:
        for one, step in zip(asked, steps, strict=True):
            if not isinstance(step, Exception):
                self._announce(one, step)

    def _know(self, place: tuple[type[Record], str], held: Held[Record]) -> None:
        """This is what was last committed."""
        self._known[place] = held
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def _versioned(self, kind: type[R], id: str, version: int, body: str) -> Versioned[R]:
        """What a row says; not decoded again if the writer remembers that very version."""
        held = self._remembered.get((kind, id))
        if held is not None and held.version == version:
            return Versioned(cast(R, held.record), version)
        return Versioned(cast(R, self._tables[kind].decode(id, body)), version)

    async def _next_change(self, place: tuple[type[Record], str], timer: asyncio.Future[None]) -> None:
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.setdefault(place, set()).add(watcher)
        try:
            await asyncio.wait((watcher, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watchers = self._watchers.get(place, set())
            watchers.discard(watcher)
            if not watchers:
                self._watchers.pop(place, None)


def _result(decided: Decided | Exception) -> Outcome[Record] | Exception:
    if isinstance(decided, Exception):
        return decided
    step = decided.step
    return step.outcome if step.refusal is None else step.refusal
