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
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import ValidationError
from pymongo import IndexModel

from shared.bookkeeping import Held
from shared.errors import Illegible
from shared.mongo.connection import Document
from shared.ports import Outgoing
from shared.records import Record

_ODD = re.compile(r"[.$\0]")
WRITES_REMEMBERED = 16
MANY_ENTRIES = 2_000
"""A mapping with more entries than this is written whole, so that its size is looked at."""


class Projection(StrEnum):
    """What of a document is read: the record, all but what its messages say, or the messages."""

    RECORD = "record"
    STATE = "state"
    MESSAGES = "messages"

    @property
    def fields(self) -> Document:
        return dict(_PROJECTIONS[self])


_PROJECTIONS: dict[Projection, Document] = {
    Projection.RECORD: {"version": 1, "body": 1},
    Projection.STATE: {"outbox.message": 0},
    Projection.MESSAGES: {"outbox": 1},
}


class Stored(NamedTuple):
    """A record as it lies in the store, and what a compare-and-set goes by.

    `waiting` are the sequences in its outbox when it was read. `in_parts` says that its body has just the fields of its
    kind, so that a change may write only those that changed.
    """

    held: Held[Record]
    rev: int
    writes: tuple[str, ...]
    waiting: tuple[int, ...] = ()
    in_parts: bool = True


class Fields(NamedTuple):
    """What a change writes, by path, and which paths go."""

    there: Document
    gone: Sequence[str] = ()


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
    waiting = tuple(each["sequence"] for each in document["outbox"])
    in_parts = document["body"].keys() == kind.model_fields.keys()
    return Stored(held, document["rev"], tuple(document["writes"]), waiting, in_parts)


def record_of(kind: type[Record], document: Document) -> Record:
    """What stands in the body. Raises Illegible."""
    try:
        return kind.model_validate(document["body"])
    except ValidationError as e:
        raise Illegible(kind.kind, document["_id"], e) from None


def fields(before: Stored | None, after: Held[Record]) -> Fields:
    """What changes. Parts of the record that are the very same objects as before are not written again."""
    held = None if before is None else before.held
    there: Document = {}
    gone: list[str] = []
    if held is None or after.version != held.version:
        there |= {"version": after.version, "sequence": after.sequence}
        _note(there, gone, "due_at", after.due_at)
        old = held.record if held is not None and before is not None and before.in_parts else None
        there |= _body(old, after.record, gone)
    if held is None or after.applied is not held.applied:
        there |= _listed("applied", held and held.applied, after.applied, _mark)
        _note(there, gone, "pruned_at", after.pruned_at)
    if held is None or after.ops is not held.ops:
        there |= _listed("ops", held and held.ops, after.ops, _answer)
    return Fields(there, () if held is None else gone)


def _note(there: Document, gone: list[str], name: str, value: int | None) -> None:
    if value is None:
        gone.append(name)
    else:
        there[name] = value


def _body(old: Record | None, new: Record, gone: list[str]) -> Document:
    """The record, or only what of it changed: fields, and in mappings entries."""
    if old is None:
        return {"body": new.model_dump(mode="json")}
    include: dict[str, Any] = {}
    for name, value in new.__dict__.items():
        was = old.__dict__.get(name)
        if value is not was:
            entries = _entries(was, value)
            include[name] = True if entries is None else entries
            if was and entries is not None:
                gone += [f"body.{name}.{key}" for key in was if key not in value]
    dumped = new.model_dump(mode="json", include=include)
    there: Document = {}
    for name, what in include.items():
        if what is True:
            there[f"body.{name}"] = dumped[name]
        else:
            there |= {f"body.{name}.{key}": value for key, value in dumped.get(name, {}).items()}
    return there


def _entries(was: Any, value: Any) -> set[str] | None:
    """Which entries of a mapping changed, if they can be written one by one and end in the same order: a server puts
    several new ones into an order of its own."""
    if type(value) is not dict or type(was) is not dict or not was or len(value) > MANY_ENTRIES:
        return None
    changed = {key for key, entry in value.items() if was.get(key) is not entry}
    going = was.keys() - value.keys()
    plain = all(type(key) is str and key and not _ODD.search(key) for key in changed | going)
    stayed = [key for key in was if key in value] if going else list(was)
    in_order = stayed == list(value)[: len(stayed)] and len(value) - len(stayed) <= 1
    return changed if plain and in_order else None


def _listed(
    name: str,
    old: Mapping[str, Sequence[Any]] | None,
    new: Mapping[str, Sequence[Any]],
    row: Callable[[str, Sequence[Any]], list[Any]],
) -> Document:
    """A mapping that lies in the store as a list of rows: all of them, or only those that changed or were added."""
    if not old or list(new)[: len(old)] != list(old):
        return {name: [row(key, value) for key, value in new.items()]}
    return {
        f"{name}.{n}": row(key, value)
        for n, (key, value) in enumerate(new.items())
        if old.get(key) is not value
    }


def _mark(source: str, mark: Sequence[Any]) -> list[Any]:
    return [source, *mark]


def _answer(key: str, answer: Sequence[Any]) -> list[Any]:
    body, said, ms = answer
    return [key, body, json.dumps(said), ms]


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


def whole(id: str, changed: Fields, said: list[Document], token: str) -> Document:
    """The document of a new record."""
    return {"_id": id, **changed.there, "outbox": said, "rev": 1, "writes": [token]}


def update(
    changed: Fields, said: list[Document], rev: int, writes: Sequence[str], *, afresh: bool = False
) -> Document:
    """The update that makes these changes, to be guarded by the revision before. `afresh`: whatever lay in the outbox
    has been published, and goes."""
    orders: dict[str, Any] = {"$set": {**changed.there, "rev": rev, "writes": list(writes)}}
    if changed.gone:
        orders["$unset"] = dict.fromkeys(changed.gone, "")
    if afresh:
        orders["$set"]["outbox"] = said
    elif said:
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
