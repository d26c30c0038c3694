"""A record as a document: what lies in it, and what is written when it changes.

_id, version, sequence, body    the record, as in every store
outbox    messages not yet known to be published, in order: {sequence, topic, key, written_at, message, writer}
applied   watermarks: [source record, sequence, milliseconds]
ops       answers given: [key, digest of the body, answer as JSON, milliseconds]
due_at, pruned_at    milliseconds; not there when there is none
rev       counts every write of a decision, also one that leaves the version alone; compare-and-set goes by it
writes    names of the last such writes, so that whoever lost the answer to one can tell if it happened
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pymongo import IndexModel

from shared.bookkeeping import Held
from shared.mongo.connection import Document
from shared.ports import Outgoing
from shared.records import Record

WRITES_REMEMBERED = 16


class Projection(StrEnum):
    """What of a document is read: the record, all but its messages, or the messages."""

    RECORD = "record"
    STATE = "state"
    MESSAGES = "messages"

    @property
    def fields(self) -> Document:
        return dict(_PROJECTIONS[self])


_PROJECTIONS: dict[Projection, Document] = {
    Projection.RECORD: {"version": 1, "body": 1},
    Projection.STATE: {"outbox": 0},
    Projection.MESSAGES: {"outbox": 1},
}


class Stored(NamedTuple):
    """A record as it lies in the store, and what a compare-and-set goes by."""

    held: Held[Record]
    rev: int
    writes: tuple[str, ...]


def stored_of(kind: type[Record], document: Document) -> Stored:
    held = Held(
        record_of(kind, document),
        document["version"],
        document["sequence"],
        document.get("due_at"),
        {source: (sequence, ms) for source, sequence, ms in document["applied"]},
        {key: (body, json.loads(answer), ms) for key, body, answer, ms in document["ops"]},
        document.get("pruned_at"),
    )
    return Stored(held, document["rev"], tuple(document["writes"]))


def record_of(kind: type[Record], document: Document) -> Record:
    return kind.model_validate(document["body"])


def fields(before: Held[Record] | None, after: Held[Record]) -> Document:
    """What changes, by field; None where a field goes."""
    changed: Document = {}
    if before is None or after.version != before.version:
        changed |= {"version": after.version, "sequence": after.sequence, "due_at": after.due_at}
        changed["body"] = after.record.model_dump(mode="json")
    if before is None or after.applied is not before.applied:
        changed["applied"] = [[source, *mark] for source, mark in after.applied.items()]
        changed["pruned_at"] = after.pruned_at
    if before is None or after.ops is not before.ops:
        changed["ops"] = [
            [key, body, json.dumps(answer), ms] for key, (body, answer, ms) in after.ops.items()
        ]
    return changed


def messages(outgoing: Sequence[Outgoing], written_at: int, writer: str) -> list[Document]:
    return [
        {
            "sequence": message.sequence, "topic": message.topic, "key": message.key, "written_at": written_at,
            "message": message.value.decode(), "writer": writer,
        }
        for message in outgoing
    ]  # fmt: skip


def outgoing_of(kind: type[Record], document: Document) -> list[Outgoing]:
    """What waits in a record's outbox, in order."""
    said = sorted(document["outbox"], key=lambda each: int(each["sequence"]))
    return [
        Outgoing(
            kind.kind, document["_id"], each["sequence"], each["topic"], each["key"], each["message"].encode()
        )
        for each in said
    ]


def whole(id: str, changed: Document, said: list[Document], token: str) -> Document:
    """The document of a new record."""
    there = {name: value for name, value in changed.items() if value is not None}
    return {"_id": id, **there, "outbox": said, "rev": 1, "writes": [token]}


def update(changed: Document, said: list[Document], rev: int, writes: Sequence[str]) -> Document:
    """The update that makes these changes, to be guarded by the revision before."""
    there = {name: value for name, value in changed.items() if value is not None}
    gone = {name: "" for name, value in changed.items() if value is None}
    orders: dict[str, Any] = {"$set": {**there, "rev": rev, "writes": list(writes)}}
    if gone:
        orders["$unset"] = gone
    if said:
        orders["$push"] = {"outbox": {"$each": said}}
    return orders


def indexes(kind: type[Record]) -> list[IndexModel]:
    """The declared indexes of a kind, the id last in each so that ties have an order; timers; outboxes."""
    declared = [
        IndexModel([(path(field), 1) for field in (*index.fields, "id")], name=f"by {' '.join(index.fields)}")
        for index in kind.indexes
    ]
    if timed(kind):
        declared.append(IndexModel([("due_at", 1)], name="due", sparse=True))
    if kind.topic is not None:
        declared.append(IndexModel([("outbox.writer", 1)], name="outbox", sparse=True))
    return declared


def path(field: str) -> str:
    return "_id" if field == "id" else f"body.{field}"


def timed(kind: type[Record]) -> bool:
    """Whether records of this kind can be due."""
    return kind.due_at is not Record.due_at
