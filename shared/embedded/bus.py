"""An append-only log by topic with consumer groups, in the file that the stores share."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

from shared.contracts.base import Topic
from shared.embedded.clock import SystemClock, first_of
from shared.embedded.engine import SqliteEngine
from shared.errors import WusheError
from shared.ports import Clock, Delivery, Outgoing, Position, Reading

RECENT = 1024
CHECK_AGAIN_SECONDS = 1.0


class NoRebalancing(WusheError):
    """A group has one member here: with one partition per topic there is nothing to share out."""

    def __init__(self, group: str) -> None:
        super().__init__(f"group {group} already has its one reader in this process")


class _Log:
    """One topic. `end` is the offset behind the last durable message, `recent` the messages just before it,
    `upcoming` the next free offset as the transaction under way sees it. None is what the file has to say."""

    __slots__ = ("end", "name", "readers", "recent", "table", "upcoming")

    def __init__(self, topic: str) -> None:
        if '"' in topic:
            raise ValueError(f"{topic!r} is no name for a topic")
        self.name = topic
        self.table = f'"log {topic}"'
        self.end: int | None = None
        self.upcoming: int | None = None
        self.recent: list[Delivery] = []
        self.readers: set[SqliteReading] = set()

    def append(self, first: int, messages: Sequence[Outgoing]) -> None:
        """These messages are durable now."""
        if self.recent and self.recent[-1].offset + 1 != first:
            self.recent.clear()
        position = Position(self.name, 0)
        self.recent.extend(Delivery(position, first + i, m.key, m.value) for i, m in enumerate(messages))
        if len(self.recent) > 2 * RECENT:
            del self.recent[:-RECENT]
        self.end = first + len(messages)
        for reader in self.readers:
            reader.wake()


class SqliteBus:
    """One partition per topic, so order holds for all keys. Readers are woken when messages come.

    The log lies in the file of the stores, so nothing waits for the disk here: should the power take a message away,
    then whatever followed from it is gone as well, and it still stands in the outbox that it came from.
    """

    def __init__(self, engine: SqliteEngine, clock: Clock | None = None) -> None:
        self._engine = engine
        self.clock = clock or SystemClock()
        self._logs: dict[str, _Log] = {}
        self._members: dict[str, SqliteReading] = {}
        engine.prepare(
            'CREATE TABLE IF NOT EXISTS "log offsets" (grp TEXT NOT NULL, topic TEXT NOT NULL, '
            "offset INTEGER NOT NULL, PRIMARY KEY (grp, topic)) WITHOUT ROWID"
        )
        engine.when_undone(self._undone)

    @property
    def rebalances(self) -> int:
        return 0

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        if not messages:
            return
        by_topic: dict[str, list[Outgoing]] = {}
        for message in messages:
            by_topic.setdefault(message.topic, []).append(message)
        append, published = partial(self._append, by_topic), partial(self._published, by_topic)
        await self._engine.write(append, published, sync=False)

    async def read(self, topics: Sequence[Topic], *, group: str | None) -> Reading:
        if group is not None and group in self._members:
            raise NoRebalancing(group)
        reading = SqliteReading(self, [topic.name for topic in topics], group, self._committed(group))
        if group is not None:
            self._members[group] = reading
        for topic in topics:
            self._log(topic.name).readers.add(reading)
        return reading

    async def ping(self) -> None:
        await self._engine.ping()

    async def close(self) -> None:
        """The engine is shared, and is closed by whoever opened it."""
        for log in self._logs.values():
            for reading in list(log.readers):
                await reading.close()

    def end(self, topic: str) -> int:
        """The offset behind the last durable message."""
        log = self._log(topic)
        if log.end is None:
            exists = self._engine.has_table(f"log {topic}")
            rows = self._engine.read(f"SELECT max(offset) FROM {log.table}") if exists else [(None,)]
            log.end = 0 if rows[0][0] is None else rows[0][0] + 1
        return log.end

    def look_again(self, topics: Sequence[str]) -> None:
        """Ask the file for the ends of these topics, in case nobody said that something came."""
        for topic in topics:
            self._log(topic).end = None

    def slice(self, topic: str, start: int, limit: int) -> list[Delivery]:
        """At most `limit` messages from this offset on: from memory if recent, else from the file."""
        log = self._log(topic)
        if start >= self.end(topic):
            return []
        if log.recent and log.recent[0].offset <= start <= log.recent[-1].offset:
            index = start - log.recent[0].offset
            return log.recent[index : index + limit]
        sql = f"SELECT offset, key, value FROM {log.table} WHERE offset >= ? ORDER BY offset LIMIT ?"
        position = Position(topic, 0)
        rows = self._engine.read(sql, (start, limit))
        return [Delivery(position, offset, _text(key), value) for offset, key, value in rows]

    async def commit(self, group: str, offsets: Mapping[Position, int]) -> None:
        done = [(group, position.topic, offset) for position, offset in offsets.items()]
        await self._engine.write(partial(_note_offsets, done), sync=False)

    def commits(self) -> dict[str, dict[str, int]]:
        """Where each group that ever committed will read on, by topic."""
        found: dict[str, dict[str, int]] = {}
        if self._engine.has_table("log offsets"):
            for group, topic, offset in self._engine.read('SELECT grp, topic, offset FROM "log offsets"'):
                found.setdefault(group, {})[topic] = offset
        return found

    def leave(self, reading: SqliteReading, topics: Sequence[str], group: str | None) -> None:
        if group is not None and self._members.get(group) is reading:
            del self._members[group]
        for topic in topics:
            self._log(topic).readers.discard(reading)

    def _log(self, topic: str) -> _Log:
        log = self._logs.get(topic)
        if log is None:
            log = self._logs[topic] = _Log(topic)
        return log

    def _committed(self, group: str | None) -> dict[str, int]:
        if group is None:
            return {}
        rows = self._engine.read('SELECT topic, offset FROM "log offsets" WHERE grp = ?', (group,))
        return dict(rows)

    def _append(
        self, by_topic: Mapping[str, Sequence[Outgoing]], connection: sqlite3.Connection
    ) -> list[int]:
        """The job of `publish`; the offset of the first message of each topic."""
        firsts = []
        for topic, messages in by_topic.items():
            log = self._log(topic)
            first = log.upcoming if log.upcoming is not None else _create(connection, log)
            connection.executemany(
                f"INSERT INTO {log.table} (offset, key, value) VALUES (?, ?, ?)",
                [(offset, message.key, message.value) for offset, message in enumerate(messages, first)],
            )
            log.upcoming = first + len(messages)
            firsts.append(first)
        return firsts

    def _published(self, by_topic: Mapping[str, Sequence[Outgoing]], firsts: Sequence[int]) -> None:
        for (topic, messages), first in zip(by_topic.items(), firsts, strict=True):
            self._log(topic).append(first, messages)

    def _undone(self) -> None:
        for log in self._logs.values():
            log.upcoming = log.end = None


class SqliteReading:
    """The one member of a group, or a private reader."""

    def __init__(
        self, bus: SqliteBus, topics: Sequence[str], group: str | None, start: Mapping[str, int]
    ) -> None:
        self._bus = bus
        self._topics = list(topics)
        self._group = group
        self._next = {topic: start.get(topic, 0) for topic in topics}
        self._aim: dict[str, int] | None = None
        self._woken: asyncio.Future[None] | None = None
        self._closed = False

    def wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def fetch(self, limit: int, seconds: float) -> list[Delivery]:
        until = self._bus.clock.now().timestamp() + seconds
        while not (found := self._take(limit)):
            left = until - self._bus.clock.now().timestamp()
            if left <= 0 or self._closed:
                await asyncio.sleep(0)  # whoever looks again and again must not keep others from going on
                break
            self._woken = asyncio.get_running_loop().create_future()
            await first_of(self._bus.clock, self._woken, min(left, CHECK_AGAIN_SECONDS))
            if not self._woken.done():
                self._bus.look_again(self._topics)
        return found

    async def commit(self, offsets: Mapping[Position, int]) -> None:
        if self._group is not None and not self._closed:
            await self._bus.commit(self._group, offsets)

    async def rewind(self, offsets: Mapping[Position, int]) -> None:
        self._next.update({position.topic: offset for position, offset in offsets.items()})

    async def lag(self) -> int:
        self._bus.look_again(self._topics)
        return sum(max(0, self._bus.end(topic) - offset) for topic, offset in self._next.items())

    async def caught_up(self, *, afresh: bool = False) -> bool:
        self._bus.look_again(self._topics)
        if self._aim is None or afresh:
            self._aim = {topic: self._bus.end(topic) for topic in self._next}
        reached = all(self._next[topic] >= end for topic, end in self._aim.items())
        if reached:
            self._aim = None
        return reached

    async def close(self) -> None:
        self._closed = True
        self._bus.leave(self, self._topics, self._group)
        self.wake()

    def _take(self, limit: int) -> list[Delivery]:
        """From each topic in turn, each time beginning with another, so that a busy one starves none. If one cannot be
        read, nothing counts as taken."""
        found: list[Delivery] = []
        behind: dict[str, int] = {}
        for topic in self._topics:
            if len(found) >= limit:
                break
            some = self._bus.slice(topic, self._next[topic], limit - len(found))
            if some:
                behind[topic] = some[-1].offset + 1
                found += some
        self._next.update(behind)
        self._topics.append(self._topics.pop(0))
        return found


def _text(key: str) -> str:
    """A key that is no text could be neither kept nor told. As another one it is found to be under the wrong key."""
    return key.encode(errors="surrogateescape").decode(errors="replace")


def _create(connection: sqlite3.Connection, log: _Log) -> int:
    """Make sure that the topic has its table; the next free offset in it."""
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {log.table} "
        "(offset INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB NOT NULL)"
    )
    last = connection.execute(f"SELECT max(offset) FROM {log.table}").fetchone()[0]
    return 0 if last is None else int(last) + 1


def _note_offsets(done: Sequence[tuple[str, str, int]], connection: sqlite3.Connection) -> None:
    connection.executemany(
        'INSERT INTO "log offsets" (grp, topic, offset) VALUES (?, ?, ?) '
        "ON CONFLICT (grp, topic) DO UPDATE SET offset = excluded.offset",
        done,
    )
