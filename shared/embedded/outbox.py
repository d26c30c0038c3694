"""What one service's records have said and the bus may not have yet: rows of a table, and the same in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import islice

from shared.embedded.engine import SqliteEngine
from shared.ports import Outgoing

Place = tuple[str, str, int]
"""Kind, id and sequence: what a message is known by."""
IN_MEMORY = 50_000
"""With more than this waiting, the rest is read from the file when its turn comes."""


class Outbox:
    """The table is the truth, which a restart finds. In memory the same messages wait in the order of their numbers,
    so that publishing them costs no reading; whenever it may be wrong, the memory is dropped and the table read."""

    def __init__(self, engine: SqliteEngine, table: str) -> None:
        self._engine = engine
        self._table = f'"{table}"'
        self.insert = (
            f"INSERT INTO {self._table} (n, kind, id, sequence, topic, key, written_at, message) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        )
        self.statements = (
            f"CREATE TABLE IF NOT EXISTS {self._table} (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
            "id TEXT NOT NULL, sequence INTEGER NOT NULL, topic TEXT NOT NULL, key TEXT NOT NULL, "
            "written_at INTEGER NOT NULL, message BLOB NOT NULL)",
        )
        self._waiting: dict[Place, tuple[int, Outgoing]] | None = None
        self._read: dict[Place, int] = {}
        self._next = 1
        self.count = 0

    def open(self) -> None:
        """Look at what an earlier process left."""
        rows = self._engine.read(f"SELECT count(*), max(n) FROM {self._table}")
        self.count = rows[0][0]
        self._next = (rows[0][1] or 0) + 1
        self._waiting = None if self.count else {}
        self._engine.when_undone(self._forget_memory)

    def numbers(self, count: int) -> int:
        """The first of so many new numbers. Those of a transaction that is undone are not given again."""
        self._next += count
        return self._next - count

    def note(self, first: int, messages: Sequence[Outgoing]) -> None:
        """These are durable now, numbered from `first`."""
        self.count += len(messages)
        if self._waiting is None:
            return
        if len(self._waiting) > IN_MEMORY:
            self._waiting = None
            return
        self._waiting.update((m[:3], (n, m)) for n, m in enumerate(messages, first))

    def pending(self, limit: int) -> list[Outgoing]:
        if self._waiting is not None:
            return [message for _, message in islice(self._waiting.values(), limit)]
        rows = self._engine.read(
            f"SELECT n, kind, id, sequence, topic, key, message FROM {self._table} ORDER BY n LIMIT ?",
            (limit,),
        )
        self._read = {row[1:4]: row[0] for row in rows}
        if not rows and self.count == 0:
            self._waiting = {}
        return [Outgoing(*row[1:]) for row in rows]

    def oldest_ms(self) -> int | None:
        rows = self._engine.read(f"SELECT written_at FROM {self._table} ORDER BY n LIMIT 1")
        return rows[0][0] if rows else None

    def remove(self, published: Sequence[Place], connection: sqlite3.Connection) -> int:
        """The job of a trim: by number where it is known, which spares an index. Gives how many were there."""
        before = connection.total_changes
        numbers = {place: n for place in published if (n := self._number(place)) is not None}
        connection.executemany(f"DELETE FROM {self._table} WHERE n = ?", [(n,) for n in numbers.values()])
        if len(numbers) < len(published):
            connection.executemany(
                f"DELETE FROM {self._table} WHERE kind = ? AND id = ? AND sequence = ?",
                [place for place in published if place not in numbers],
            )
        return connection.total_changes - before

    def removed(self, published: Sequence[Place], count: int) -> None:
        """The trim is durable."""
        self.count -= count
        if self._waiting is not None:
            for place in published:
                self._waiting.pop(place, None)

    def _number(self, place: Place) -> int | None:
        if self._waiting is None:
            return self._read.get(place)
        waiting = self._waiting.get(place)
        return None if waiting is None else waiting[0]

    def _forget_memory(self) -> None:
        self._waiting = None
