"""The table of one kind of record: what a row holds, and the four ways it is read and written."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json

from shared.bookkeeping import Held, Step
from shared.embedded.search import column
from shared.records import Record

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BODY = "version = ?, sequence = ?, body = ?, due_at = ?"
_HEARD = "applied = ?, pruned_at = ?"


def name_of(service: str, kind: str) -> str:
    """The name of a table; checked, because names cannot be bound as values are."""
    if not _NAME.fullmatch(service) or not _NAME.fullmatch(kind):
        raise ValueError(f"{service!r} or {kind!r} is no name for a table")
    return f"{service}.{kind}"


class Table:
    """Records of one kind of one service."""

    def __init__(self, service: str, kind: type[Record]) -> None:
        self.kind = kind
        self.name = name_of(service, kind.kind)
        quoted = f'"{self.name}"'
        kept = "id, version, sequence, body, applied, ops, pruned_at, due_at"
        self._select = f"SELECT {kept} FROM {quoted} WHERE id = ?"
        self._insert = f"INSERT INTO {quoted} ({kept}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self._update = f"UPDATE {quoted} SET {_BODY} WHERE id = ?"
        self._update_heard = f"UPDATE {quoted} SET {_BODY}, {_HEARD} WHERE id = ?"
        self._update_all = f"UPDATE {quoted} SET {_BODY}, {_HEARD}, ops = ? WHERE id = ?"
        self._note = f"UPDATE {quoted} SET applied = ?, ops = ?, pruned_at = ? WHERE id = ?"
        self.get = f"SELECT version, body FROM {quoted} WHERE id = ?"
        self.due = f"SELECT id FROM {quoted} WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"
        self.next_due = f"SELECT min(due_at) FROM {quoted} WHERE due_at IS NOT NULL"

    def statements(self) -> list[str]:
        """What creates the table and its declared indexes, the id last in each so that ties have an order."""
        created = [
            f'CREATE TABLE IF NOT EXISTS "{self.name}" ('
            "id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, sequence INTEGER NOT NULL, "
            "body TEXT NOT NULL, applied TEXT NOT NULL, ops TEXT NOT NULL, pruned_at INTEGER, due_at INTEGER)",
            f'CREATE INDEX IF NOT EXISTS "{self.name} due" ON "{self.name}" (due_at, id) '
            "WHERE due_at IS NOT NULL",
        ]
        for index in self.kind.indexes:
            if not all(_FIELD.fullmatch(field) for field in index.fields):
                raise ValueError(f"{index.fields} are no fields")
            expressions = ", ".join(column(field) for field in (*index.fields, "id"))
            created.append(
                f'CREATE INDEX IF NOT EXISTS "{self.name} by {" ".join(index.fields)}" '
                f'ON "{self.name}" ({expressions})'
            )
        return created

    def decode(self, body: str) -> Record:
        return self.kind.model_validate_json(body)

    def load(self, connection: sqlite3.Connection, id: str) -> Held[Record] | None:
        """The record as the transaction under way sees it."""
        row = connection.execute(self._select, (id,)).fetchone()
        if row is None:
            return None
        _, version, sequence, body, applied, ops, pruned_at, due_at = row
        return Held(
            self.decode(body), version, sequence, due_at, from_json(applied), from_json(ops), pruned_at
        )  # fmt: skip

    def save(self, connection: sqlite3.Connection, step: Step[Record]) -> None:
        """Write what the step asks for; everything is encoded before anything is written."""
        before, after = step.before, step.after
        if before is None:
            connection.execute(self._insert, self._whole(after))
        elif after.version == before.version:
            notes = (_json(after.applied), _json(after.ops), after.pruned_at, after.record.id)
            connection.execute(self._note, notes)
        else:
            self._overwrite(connection, before, after)

    def _overwrite(self, connection: sqlite3.Connection, before: Held[Record], after: Held[Record]) -> None:
        """Leave alone what did not change: most changes meet no request, many have no cause."""
        record, version, sequence, due_at, applied, ops, pruned_at = after
        body, id = record.model_dump_json(), record.id
        if ops is not before.ops:
            heard_and_met = (_json(applied), pruned_at, _json(ops))
            connection.execute(self._update_all, (version, sequence, body, due_at, *heard_and_met, id))
        elif applied is not before.applied:
            values = (version, sequence, body, due_at, _json(applied), pruned_at, id)
            connection.execute(self._update_heard, values)
        else:
            connection.execute(self._update, (version, sequence, body, due_at, id))

    def _whole(self, held: Held[Record]) -> tuple[Any, ...]:
        body, applied, ops = held.record.model_dump_json(), _json(held.applied), _json(held.ops)
        return held.record.id, held.version, held.sequence, body, applied, ops, held.pruned_at, held.due_at


def _json(value: Mapping[str, Any]) -> str:
    return to_json(value).decode() if value else "{}"
