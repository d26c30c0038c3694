"""The seams: what the services and the loop ask of a store, a bus, a clock, an id mint.

Adapters stand in `shared.embedded` (SQLite; the default and the test double), `shared.kafka` and
`shared.mongo`. `tests/conformance` is written against this page and runs over every adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from shared.contracts.base import Message, Topic
from shared.records import Change, Outcome, Record, Versioned

R = TypeVar("R", bound=Record)
Decide = Callable[[R | None], Change[R]]
"""A pure function from the record (None if there is none) to a change of it. It may raise a Refusal, may be
called again after a lost race, and must not wait, read a clock or make up ids."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    def new(self) -> str:
        """A new UUIDv7 in text form: sorts by time of making."""
        ...

    def random(self) -> float:
        """A number in [0, 1), for jitter."""
        ...


class Where(NamedTuple):
    """One condition on an indexed field. `one_of` takes a tuple, `prefix` a text, the rest a scalar; see `searches.either`."""

    field: str
    test: Literal["equal", "one_of", "at_least", "at_most", "prefix", "either"]
    value: Any


@dataclass(frozen=True, slots=True)
class Query:
    """A search over one kind of record.

    All conditions must hold. Where there are conditions, some declared index must begin with a field among them.
    `order` is "id" or an indexed field; ties go by id. `after` is the `cursor` of the last record of the page before.
    """

    where: tuple[Where, ...] = ()
    order: str = "id"
    descending: bool = False
    limit: int = 50
    after: tuple[Any, str] | None = None

    def cursor(self, record: Record) -> tuple[Any, str]:
        """Where a page that ends with this record ends; given as `after`, the next page begins behind it."""
        value = getattr(record, self.order)
        return (value.value if isinstance(value, Enum) else value), record.id


class Op(NamedTuple):
    """A request that may be sent twice: `key` names it (account, route and Idempotency-Key, digested),
    `body` digests what was asked. The same key with another body is refused as `KeyReused`."""

    key: str
    body: str


class Outgoing(NamedTuple):
    """A message that waits in the outbox of a record of `kind`, `id`; `sequence` counts per record from 1."""

    kind: str
    id: str
    sequence: int
    topic: str
    key: str
    value: bytes


class Store(Protocol):
    """The records of one service. No other service can read them."""

    duplicates_absorbed: int
    """How many messages a watermark has recognised as applied before, since the start."""

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
        """Change one record, by a compare-and-set on its version; durable when this returns (with `cause`: ADR 0017).

        The record, its outgoing messages, the watermark of `cause` and the answer to `op` are written together
        or not at all. A cause that was applied before (its sequence is not above the watermark of its source
        record) decides nothing and writes nothing; so does a repeated `op`. A Refusal raised by `decide` is
        raised here; with a cause it first advances the watermark of a record that exists, so that a replay
        decides nothing either.

        Raises: Refusal (and its kin `KeyReused`, `Stale` when `expect` is not the version), TooOld, Outage.
        """
        ...

    async def get(self, kind: type[R], id: str) -> Versioned[R] | None:
        """The record as last committed, or None."""
        ...

    async def find(self, kind: type[R], query: Query) -> list[Versioned[R]]: ...

    async def due(self, kind: type[R], now: datetime, limit: int) -> list[str]:
        """The ids of the records whose `due_at` is at or before `now`, earliest first."""
        ...

    def wrote_last(self, kind: type[R], id: str) -> bool:
        """Whether this process wrote the record last, as far as it knows: a hint, right just after a change."""
        ...

    async def next_due(self) -> datetime | None:
        """The earliest `due_at` of all records of this service."""
        ...

    async def wait(
        self, kind: type[R], id: str, until: Callable[[R], bool], seconds: float
    ) -> Versioned[R] | None:
        """Wait until the record satisfies `until`; gives its latest state even if time ran out first."""
        ...

    async def pending(self, limit: int) -> list[Outgoing]:
        """Messages not yet known to be published: in order per record."""
        ...

    async def trim(self, published: Sequence[Outgoing]) -> None:
        """Forget published messages, by record and sequence. Leaves versions alone."""
        ...

    async def outgoing(self) -> None:
        """Wait until some message may be pending."""
        ...

    async def outbox_age(self) -> float | None:
        """Seconds since the oldest message still in an outbox was written; None if there is none."""
        ...

    async def outbox_depth(self) -> int:
        """How many messages wait in the outboxes. Unlike `pending` it takes none of them to be published."""
        ...

    async def changed(self) -> None:
        """Wait until some record may have become due earlier than before (the sweeper's wake-up call)."""
        ...

    async def ping(self) -> None:
        """Raises Outage if a write would fail."""

    async def close(self) -> None: ...


class Position(NamedTuple):
    topic: str
    partition: int


class Delivery(NamedTuple):
    """Bytes as they lie on the bus, and where they lie."""

    position: Position
    offset: int
    key: str
    value: bytes


class Reading(Protocol):
    """One reader of some topics: a member of a group, or private."""

    async def fetch(self, limit: int, seconds: float) -> list[Delivery]:
        """The next deliveries, in order per partition; empty if none came within `seconds`. Raises Outage."""

    async def commit(self, offsets: Mapping[Position, int]) -> None:
        """Note that everything below these offsets is done. A commit that comes after a rebalance took the
        partition away is normal and is no error. Private readers have nothing to commit."""

    async def rewind(self, offsets: Mapping[Position, int]) -> None:
        """Read again from these offsets: after a batch that was not finished."""

    async def lag(self) -> int:
        """How many messages lie ahead of the position."""

    async def caught_up(self, *, afresh: bool = False) -> bool:
        """Whether all has been given that lay there when this was first asked, or first asked again after a yes or `afresh`:
        while others go on writing, something always lies ahead. Not before it is known what part of the log is this reader's.
        Raises Outage."""

    async def close(self) -> None: ...


class Bus(Protocol):
    """An append-only log of messages by topic; order is kept per key."""

    @property
    def rebalances(self) -> int:
        """How often partitions were dealt anew among the members of a group that is read here, since the start."""

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Durable, and in order per key, when this returns. Raises Outage; some may then have been published."""

    async def read(self, topics: Sequence[Topic], *, group: str | None) -> Reading:
        """A member of `group`, from its last commit (from the start if none); or, with None, a private reader
        of everything from the start."""

    async def ping(self) -> None:
        """Raises Outage if the bus cannot be reached."""

    async def close(self) -> None: ...


class Faults(Protocol):
    """Named points at which a test may stop the process dead. In production reaching one does nothing."""

    def reach(self, point: str) -> None: ...


@dataclass(frozen=True)
class NoFaults:
    def reach(self, point: str) -> None: ...


@dataclass(frozen=True)
class Adapters:
    """What one service is given to live on."""

    store: Store
    bus: Bus
    clock: Clock
    ids: Ids
    faults: Faults = field(default_factory=NoFaults)
