"""Messages that a service could not apply: kept untouched in its own store until a person decides.

Later messages of the same source record wait behind a parked one, so that order is kept; resending plays them in
order, discarding lets them go on.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Self

from shared.errors import NotFound, Refusal
from shared.ports import Delivery, Op, Position, Query, Store, Where
from shared.records import Change, Index, Outcome, Record, Versioned, index

LOOK_AGAIN = timedelta(seconds=15)
LOOK_SELDOM = timedelta(minutes=5)


class LetterStatus(StrEnum):
    """`parked` failed itself; `waiting` came behind a parked one; `resending` is to be played once more;
    `aside` blocks nobody: bytes that cannot be read, or a message too old to tell."""

    PARKED = "parked"
    WAITING = "waiting"
    RESENDING = "resending"
    ASIDE = "aside"
    RESENT = "resent"
    DISCARDED = "discarded"


BLOCKING = (LetterStatus.PARKED, LetterStatus.WAITING, LetterStatus.RESENDING)
OPEN = (*BLOCKING, LetterStatus.ASIDE)


class LetterClosed(Refusal):
    code = "dead-letter-closed"
    zh = "这封死信已处理过"
    en = "This dead letter has been dealt with already"


class LetterAhead(Refusal):
    code = "dead-letter-ahead"
    zh = "它排在另一封死信之后，请先处理前面那封"
    en = "It waits behind another dead letter; deal with that one first"


class DeadLetter(Record):
    """One delivery that was not applied: the untouched bytes, where they lay, why and how often it was tried."""

    kind: ClassVar[str] = "dead_letter"
    indexes: ClassVar[tuple[Index, ...]] = (index("status"), index("source", "order"))

    group: str
    source: str
    topic_name: str
    partition: int
    offset: int
    key: str
    value: str
    type: str
    reason: str
    detail: str
    attempts: int
    first_failed_at: datetime
    status: LetterStatus
    order: int
    note: str = ""
    wake_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.wake_at

    @property
    def message(self) -> bytes:
        return base64.b64decode(self.value)

    @property
    def delivery(self) -> Delivery:
        return Delivery(Position(self.topic_name, self.partition), self.offset, self.key, self.message)

    def failed_again(self, reason: str, detail: str, status: LetterStatus) -> Self:
        return self.but(status=status, reason=reason, detail=detail, attempts=self.attempts + 1, wake_at=None)


def letter_id(group: str, delivery: Delivery) -> str:
    """From where it lies and what it says, since a topic that was lost and made again gives its offsets anew."""
    place = f"{group}/{delivery.position.topic}/{delivery.position.partition}/{delivery.offset}"
    return hashlib.blake2s(place.encode() + b"/" + delivery.value, digest_size=12).hexdigest()


async def blocked_sources(store: Store) -> set[str]:
    """The source records whose later messages must wait."""
    found: set[str] = set()
    after = None
    while True:
        page = await store.find(
            DeadLetter,
            Query(where=(Where("status", "one_of", BLOCKING),), limit=200, after=after),
        )
        found.update(letter.record.source for letter in page)
        if len(page) < 200:
            return found
        after = (page[-1].record.id, page[-1].record.id)


async def set_aside(store: Store, letter: DeadLetter) -> None:
    """Keep the letter; the same delivery again leaves the one that is there."""
    await store.change(DeadLetter, letter.id, lambda old: Change(old or letter))


async def ahead(store: Store, letter: DeadLetter) -> bool:
    """Whether another open letter of the same source comes before this one."""
    return await _is_before(store, letter, BLOCKING)


async def patience(store: Store, letter: DeadLetter) -> timedelta:
    """How long a letter that waits behind another need not be looked at. Only the next in turn looks often: it wakes the
    one behind it, so that thousands that wait for a person are not written again all the time."""
    return LOOK_SELDOM if await _is_before(store, letter, (LetterStatus.WAITING,)) else LOOK_AGAIN


async def _is_before(store: Store, letter: DeadLetter, statuses: tuple[LetterStatus, ...]) -> bool:
    first = await _first(store, letter.source, statuses)
    return first is not None and first.record.order < letter.order


async def keep(store: Store, letter: DeadLetter, version: int) -> None:
    """Save what became of a letter, unless somebody changed it meanwhile."""
    await store.change(DeadLetter, letter.id, lambda old: Change(letter), expect=version)


async def release_next(store: Store, source: str, now: datetime) -> None:
    """Have the next letter that waits for this source looked at now rather than at its next look."""
    first = await _first(store, source, (LetterStatus.WAITING,))
    if first:
        await keep(store, first.record.but(wake_at=now), first.version)


async def _first(
    store: Store, source: str, statuses: tuple[LetterStatus, ...]
) -> Versioned[DeadLetter] | None:
    where = (Where("source", "equal", source), Where("status", "one_of", statuses))
    found = await store.find(DeadLetter, Query(where=where, order="order", limit=1))
    return found[0] if found else None


async def letters(
    store: Store, statuses: tuple[LetterStatus, ...] = OPEN, limit: int = 200
) -> list[Versioned[DeadLetter]]:
    """The letters in these states, oldest place first."""
    where = (Where("status", "one_of", tuple(statuses)),)
    return await store.find(DeadLetter, Query(where=where, limit=limit))


async def resend(store: Store, id: str, now: datetime, op: Op | None = None) -> Outcome[DeadLetter]:
    """Ask for the letter, and whatever waits behind it, to be played again to its group only."""
    found = await store.get(DeadLetter, id)
    if found and await ahead(store, found.record):
        raise LetterAhead()
    return await store.change(
        DeadLetter, id, lambda old: _opened(old, status=LetterStatus.RESENDING, wake_at=now), op=op
    )


async def discard(store: Store, id: str, note: str, op: Op | None = None) -> Outcome[DeadLetter]:
    """Give the letter up, for a reason that stays on it; what waits behind it goes on."""
    return await store.change(
        DeadLetter,
        id,
        lambda old: _opened(old, status=LetterStatus.DISCARDED, note=note, wake_at=None),
        op=op,
    )


def _opened(old: DeadLetter | None, **changes: object) -> Change[DeadLetter]:
    if old is None:
        raise NotFound()
    if old.status not in OPEN:
        raise LetterClosed()
    changed = old.but(**changes)
    return Change(changed, answer={"id": old.id, "status": changed.status})
