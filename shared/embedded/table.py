"""The table of one kind of record: what a row holds, and the four ways it is read and written."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from shared.bookkeeping import Held, Step
from shared.contracts.json import json_of
from shared.embedded.opening import is_garbled
from shared.embedded.search import column
from shared.errors import Illegible
from shared.records import Record

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PAGE = 1000
_KEPT = ("id", "version", "sequence", "body", "applied", "ops", "pruned_at", "due_at")


class Write(NamedTuple):
    """One statement and its values."""

    sql: str
    values: tuple[Any, ...]


def name_of(service: str, kind: str) -> str:
    """The name of a table; checked, because names cannot be bound as values are."""
    if not _NAME.fullmatch(service) or not _NAME.fullmatch(kind):
        raise ValueError(f"{service!r} or {kind!r} is no name for a table")
    return f"{service}.{kind}"


class Table:
    """Records of one kind of one service. Every indexed field has a column of its own beside the body."""

    def __init__(self, service: str, kind: type[Record]) -> None:
        self.kind = kind
        self.name = name_of(service, kind.kind)
        self.timed = kind.due_at is not Record.due_at
        self.fields = tuple(dict.fromkeys(f for index in kind.indexes for f in index.fields if f != "id"))
        if not all(_FIELD.fullmatch(field) for field in self.fields):
            raise ValueError(f"{self.fields} are no fields")
        quoted = f'"{self.name}"'
        written = (*_KEPT, *map(column, self.fields))
        self._select = f"SELECT {', '.join(_KEPT)} FROM {quoted} WHERE id = ?"
        self.page = f"SELECT {', '.join(_KEPT)} FROM {quoted} WHERE id > ? ORDER BY id LIMIT ?"
        self.count = f"SELECT count(*) FROM {quoted}"
        self._insert = f"INSERT INTO {quoted} ({', '.join(written)}) VALUES ({', '.join('?' * len(written))})"
        self._updates: dict[tuple[str, ...], str] = {}
        self.get = f"SELECT version, body FROM {quoted} WHERE id = ?"
        self.due = f"SELECT id FROM {quoted} WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"
        self.next_due = f"SELECT min(due_at) AS due_at FROM {quoted} WHERE due_at IS NOT NULL"

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Create the table and its declared indexes, the id last in each so that ties have an order."""
        columns = "".join(f", {column(field)}" for field in self.fields)
        connection.execute(
            f'CREATE TABLE IF NOT EXISTS "{self.name}" ('
            "id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, sequence INTEGER NOT NULL, "
            "applied TEXT NOT NULL, ops TEXT NOT NULL, pruned_at INTEGER, due_at INTEGER"
            f"{columns}, body TEXT NOT NULL)"
        )
        self._grow(connection)
        connection.execute(
            f'CREATE INDEX IF NOT EXISTS "{self.name} due" ON "{self.name}" (due_at, id) '
            "WHERE due_at IS NOT NULL"
        )
        for index in self.kind.indexes:
            indexed = ", ".join(column(field) for field in (*index.fields, "id"))
            connection.execute(
                f'CREATE INDEX IF NOT EXISTS "{self.name} by {" ".join(index.fields)}" '
                f'ON "{self.name}" ({indexed})'
            )

    def _grow(self, connection: sqlite3.Connection) -> None:
        """Give a table that an earlier version made the columns that it lacks, filled from what it keeps."""
        there = {f'"{row[1]}"' for row in connection.execute(f'PRAGMA table_info("{self.name}")')}
        missing = [field for field in self.fields if column(field) not in there]
        if not missing:
            return
        for field in missing:
            connection.execute(f'ALTER TABLE "{self.name}" ADD COLUMN {column(field)}')
        fill = self._update(tuple(map(column, missing)))
        last = ""
        while rows := connection.execute(self.page, (last, PAGE)).fetchall():
            for row in rows:
                record = self.held(row).record
                connection.execute(fill, (*(_plain(record, field) for field in missing), record.id))
            last = rows[-1][0]

    def decode(self, id: str, body: str) -> Record:
        """What stands in the body. Raises Illegible."""
        try:
            return self.kind.model_validate_json(body)
        except ValidationError as e:
            raise Illegible(self.name, id, e) from None

    def load(self, connection: sqlite3.Connection, id: str) -> Held[Record] | None:
        """The record as the transaction under way sees it."""
        try:
            row = connection.execute(self._select, (id,)).fetchone()
        except sqlite3.Error as e:
            raise (Illegible(self.name, id) if is_garbled(e) else e) from None
        return None if row is None else self.held(row)

    def held(self, row: Sequence[Any]) -> Held[Record]:
        """A row of `page`, decoded. Raises Illegible."""
        id, version, sequence, body, applied, ops, pruned_at, due_at = row
        record = self.decode(id, body)
        try:
            return Held(record, version, sequence, due_at, from_json(applied), from_json(ops), pruned_at)
        except (ValueError, TypeError):
            raise Illegible(self.name, id) from None

    def save(self, step: Step[Record]) -> Write:
        """What writes the result of this step, encoded."""
        before, after = step.before, step.after
        if before is None:
            return Write(self._insert, self._whole(after))
        changed: dict[str, Any] = {}
        if after.version != before.version:
            changed = {"version": after.version, "sequence": after.sequence}
            changed["body"] = json_of(after.record)
            changed |= self._moved(before, after)
        if after.applied is not before.applied:
            changed["applied"] = json_of(after.applied)
        if after.ops is not before.ops:
            changed["ops"] = json_of(after.ops)
        if after.pruned_at != before.pruned_at:
            changed["pruned_at"] = after.pruned_at
        return Write(self._update(tuple(changed)), (*changed.values(), after.record.id))

    def _moved(self, before: Held[Record], after: Held[Record]) -> dict[str, Any]:
        """Only what indexes go by and has changed: an index that is not touched costs nothing."""
        moved = {} if after.due_at == before.due_at else {"due_at": after.due_at}
        for field in self.fields:
            value = _plain(after.record, field)
            if value != _plain(before.record, field):
                moved[column(field)] = value
        return moved

    def _update(self, columns: tuple[str, ...]) -> str:
        sql = self._updates.get(columns)
        if sql is None:
            assigned = ", ".join(f"{name} = ?" for name in columns)
            sql = self._updates[columns] = f'UPDATE "{self.name}" SET {assigned} WHERE id = ?'
        return sql

    def _whole(self, held: Held[Record]) -> tuple[Any, ...]:
        record, version, sequence, due_at, applied, ops, pruned_at = held
        kept = (record.id, version, sequence, json_of(record), json_of(applied), json_of(ops))
        return *kept, pruned_at, due_at, *(_plain(record, field) for field in self.fields)


def _plain(record: Record, field: str) -> Any:
    value = getattr(record, field)
    return value.value if isinstance(value, Enum) else value
