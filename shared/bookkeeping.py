"""What a store keeps beside a record, and what one request does to it: pure, so that all adapters agree.

Watermarks say which messages a record has already heard, answers which requests it has already met. `weigh`
is the whole of `Store.change` except reading and writing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from shared.contracts.base import Event, Message
from shared.contracts.catalogue import REGISTRY
from shared.errors import KeyReused, NotFound, Oversized, Refusal, Stale, TooOld
from shared.ports import Decide, Ids, Op, Outgoing
from shared.records import Change, Outcome, Record
from shared.times import milliseconds, milliseconds_up

R = TypeVar("R", bound=Record)

LARGEST_MESSAGE = 900_000
"""Bytes. Kafka takes a million by default; SQLite would take more, and then growing up would fail."""

WATERMARKS = 64
WATERMARK_LIFE_MS = 90 * 24 * 3_600_000
ANSWERS = 64
ANSWERS_AT_MOST = 256
ANSWER_LIFE_MS = 24 * 3_600_000

Watermark = Sequence[int]
"""The highest sequence applied of one source record, and the milliseconds of that message's time."""
Answer = Sequence[Any]
"""The digest of the body, the answer given, and the milliseconds of when."""


class Held(NamedTuple, Generic[R]):
    """A record with everything a store keeps beside it. `sequence` is that of its last event, `due_at` and
    `pruned_at` are milliseconds; at or before `pruned_at`, a message of an unknown source is too old."""

    record: R
    version: int
    sequence: int
    due_at: int | None
    applied: Mapping[str, Watermark]
    ops: Mapping[str, Answer]
    pruned_at: int | None


class Asked(NamedTuple, Generic[R]):
    """What `Store.change` was asked for."""

    kind: type[R]
    id: str
    decide: Decide[R]
    cause: Message | None
    op: Op | None
    expect: int | None


class Step(NamedTuple, Generic[R]):
    """What has to be written so that the request is met.

    `after is before`: nothing. `before is None`: the record is new. Same version: only what is kept beside
    the record. Otherwise everything, guarded by the version of `before`. Then `refusal`, if any, is raised.
    """

    before: Held[R] | None
    after: Held[R]
    outcome: Outcome[R]
    outgoing: Sequence[Outgoing] = ()
    refusal: Refusal | None = None


def weigh(asked: Asked[R], held: Held[R] | None, now: datetime, ids: Ids) -> Step[R]:
    """Decide one request on the record as it is. Raises Refusal or TooOld where nothing has to be written."""
    if held is not None:
        met_before = _met_before(asked, held)
        if met_before is not None:
            return Step(held, held, met_before)
    if asked.expect is not None:
        if held is None:
            raise NotFound()
        if held.version != asked.expect:
            raise Stale(current=held.version)
    try:
        change = asked.decide(None if held is None else held.record)
    except Refusal as refusal:
        if held is None or asked.cause is None:
            raise
        after = Held(*held[:4], *_notes(asked, held, None, now))
        return Step(held, after, Outcome(held.record, held.version, applied=True), (), refusal)
    return _carry_out(asked, held, change, now, ids)


def due_ms(record: Record) -> int | None:
    """When the record is due, in milliseconds."""
    due_at = record.due_at
    return None if due_at is None else milliseconds_up(due_at)


def _met_before(asked: Asked[R], held: Held[R]) -> Outcome[R] | None:
    """The outcome if this request or this cause was met before; None if it has to be decided."""
    if asked.op is not None:
        kept = held.ops.get(asked.op.key)
        if kept is not None:
            if kept[0] != asked.op.body:
                raise KeyReused()
            return Outcome(held.record, held.version, applied=False, answer=kept[1])
    if asked.cause is not None:
        watermark = held.applied.get(asked.cause.source_record)
        if watermark is not None:
            if asked.cause.sequence <= watermark[0]:
                return Outcome(held.record, held.version, applied=False)
        elif held.pruned_at is not None and milliseconds(asked.cause.time) <= held.pruned_at:
            raise TooOld(f"{asked.cause.source_record} has been silent here for too long")
    return None


def _carry_out(asked: Asked[R], held: Held[R] | None, change: Change[R], now: datetime, ids: Ids) -> Step[R]:
    record, events = change.record, change.events
    if record.id != asked.id or not isinstance(record, asked.kind):
        raise ValueError(f"a change of {asked.kind.kind} {asked.id} came to another record")
    outgoing = _outgoing(asked, events, held.sequence if held is not None else 0, now, ids) if events else ()
    notes = _notes(asked, held, change.answer, now)
    if held is None:
        after = Held(record, 1, len(events), due_ms(record), *notes)
    elif events or not (record is held.record or record == held.record):
        after = Held(record, held.version + 1, held.sequence + len(events), due_ms(record), *notes)
    elif asked.cause is not None or asked.op is not None:
        after = Held(*held[:4], *notes)
    else:
        after = held
    outcome = Outcome(after.record, after.version, applied=True, answer=change.answer)
    return Step(held, after, outcome, outgoing)


def _outgoing(
    asked: Asked[R], events: Sequence[Event], sequence: int, now: datetime, ids: Ids
) -> Sequence[Outgoing]:
    topic = asked.kind.topic
    said = []
    for event in events:
        if event.topic != topic:
            raise ValueError(f"{asked.kind.kind} says {event.type()}, which belongs to another topic")
        sequence += 1
        value = REGISTRY.encode(
            event, id=ids.new(), subject=asked.id, time=now, sequence=sequence, cause=asked.cause
        )
        if len(value) > LARGEST_MESSAGE:
            raise Oversized(f"{event.type()} has {len(value)} bytes, {LARGEST_MESSAGE} at most")
        said.append(Outgoing(asked.kind.kind, asked.id, sequence, event.topic.name, asked.id, value))
    return said


def _notes(
    asked: Asked[R], held: Held[R] | None, answer: Mapping[str, Any] | None, now: datetime
) -> tuple[Mapping[str, Watermark], Mapping[str, Answer], int | None]:
    """What is kept beside the record once it has heard the cause and met the request."""
    applied, ops, pruned_at = held[4:] if held is not None else ({}, {}, None)
    if asked.cause is not None:
        mark = (asked.cause.sequence, milliseconds(asked.cause.time))
        applied = {**applied, asked.cause.source_record: mark}
        if len(applied) > WATERMARKS:
            applied, pruned_at = _pruned(applied, pruned_at, milliseconds(now) - WATERMARK_LIFE_MS)
    if asked.op is not None:
        now_ms = milliseconds(now)
        # Through JSON, so that the answer given again is the one that was saved, whoever has it in hand.
        ops = _kept({**ops, asked.op.key: (asked.op.body, json.loads(json.dumps(answer)), now_ms)}, now_ms)
    return applied, ops, pruned_at


def _pruned(
    applied: Mapping[str, Watermark], pruned_at: int | None, before: int
) -> tuple[Mapping[str, Watermark], int | None]:
    """Drop the sources that fell silent before this moment; remember the newest message dropped."""
    dropped = [mark[1] for mark in applied.values() if mark[1] < before]
    if not dropped:
        return applied, pruned_at
    kept = {source: mark for source, mark in applied.items() if mark[1] >= before}
    return kept, max(*dropped, pruned_at or 0)


def _kept(ops: Mapping[str, Answer], now_ms: int) -> Mapping[str, Answer]:
    """Drop answers older than a day when there are many, and the oldest when there are far too many."""
    if len(ops) <= ANSWERS:
        return ops
    young = {key: answer for key, answer in ops.items() if answer[2] > now_ms - ANSWER_LIFE_MS}
    if len(young) <= ANSWERS_AT_MOST:
        return young
    newest = sorted(young, key=lambda key: young[key][2])[-ANSWERS_AT_MOST:]
    return {key: young[key] for key in newest}
