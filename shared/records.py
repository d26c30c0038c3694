"""One aggregate is one record: what it looks like to a service, and what a change of it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.contracts.base import Event, Topic, copied


class Index(NamedTuple):
    """A declared way to search a kind of record, by these body fields in this order.

    Indexed fields are top-level and hold text, integers or booleans (times are text only for people; a time
    that is searched is an integer of milliseconds)."""

    fields: tuple[str, ...]


def index(*fields: str) -> Index:
    return Index(fields)


class Record(BaseModel):
    """A record of one service: frozen, told apart by `kind` within the service and `id` within the kind.

    `topic` is where its events go; a record without events has none. `indexes` are the only searches that
    `Store.find` answers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: ClassVar[str]
    topic: ClassVar[Topic | None] = None
    indexes: ClassVar[tuple[Index, ...]] = ()

    id: str

    @property
    def due_at(self) -> datetime | None:
        """The earliest moment at which the sweeper must wake this record, or None."""
        return None

    def but(self, **changes: Any) -> Self:
        """The same record with these fields changed (already validated values, as everywhere in a domain)."""
        return copied(self, changes)


R = TypeVar("R", bound=Record)


class Change(Generic[R]):
    """What a decision comes to: the record as it should be from now on, the events that say so, the answer.

    `Change(record)` with the unchanged record and no events writes nothing except the watermark of its cause.
    `answer` is kept with the request's idempotency key, so that the same request gets the same answer.
    """

    __slots__ = ("answer", "events", "record")

    def __init__(self, record: R, *events: Event, answer: Mapping[str, Any] | None = None) -> None:
        self.record = record
        self.events = events
        self.answer = answer


class Versioned(Generic[R]):
    """A record as the store holds it, with the version that a compare-and-set (and an ETag) goes by."""

    __slots__ = ("record", "version")

    def __init__(self, record: R, version: int) -> None:
        self.record = record
        self.version = version


class Outcome(Versioned[R]):
    """What `Store.change` came to.

    `applied` is False when nothing was decided: the cause had been applied before (a duplicate), or the same
    idempotency key came again. `answer` is then the answer given the first time.
    """

    __slots__ = ("answer", "applied")

    def __init__(
        self, record: R, version: int, *, applied: bool, answer: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(record, version)
        self.applied = applied
        self.answer = answer
