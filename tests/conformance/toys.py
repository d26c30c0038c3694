"""A toy domain: baskets that are filled, and shelves that say nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

from shared.contracts.base import Event, Message, Topic
from shared.contracts.envelope import Registry
from shared.errors import Refusal
from shared.ports import Delivery, Outgoing, Reading
from shared.records import Change, Record, index

BASKETS = Topic("toys", "basket")
NEWS = Topic("elsewhere", "source")
DEADLINE = 20.0


class BasketFilled(Event):
    name = "basket.filled"
    topic = BASKETS
    count: int
    note: str | None = None


class SourceSpoke(Event):
    """What some other record said; baskets hear it."""

    name = "source.spoke"
    topic = NEWS


TOYS = Registry([BasketFilled, SourceSpoke])


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Basket(Record):
    kind = "basket"
    topic: ClassVar[Topic | None] = BASKETS
    indexes = (index("area", "count"), index("count"), index("tag"), index("sealed"), index("colour"))

    area: str = ""
    count: int = 0
    tag: str | None = None
    sealed: bool = False
    colour: Colour = Colour.RED
    note: str = ""
    wake_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.wake_at


class Shelf(Record):
    kind = "shelf"
    indexes = (index("room", "row"),)

    room: str = ""
    row: int = 0
    note: str = ""
    wake_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        return self.wake_at


class BasketFull(Refusal):
    code = "basket-full"


class Fill:
    """The decision that puts one thing into a basket and says so; it remembers what it was called with."""

    def __init__(self, id: str = "a", times: int = 1) -> None:
        self.id = id
        self.times = times
        self.saw: list[Basket | None] = []

    def __call__(self, basket: Basket | None) -> Change[Basket]:
        self.saw.append(basket)
        filled = basket or Basket(id=self.id)
        events = [BasketFilled(count=filled.count + n + 1) for n in range(self.times)]
        filled = filled.but(count=filled.count + self.times)
        return Change(filled, *events, answer={"count": filled.count})


def put(basket: Basket) -> Callable[[Basket | None], Change[Basket]]:
    """The decision that makes the record this, without a word."""
    return lambda _: Change(basket)


def keep(basket: Basket | None) -> Change[Basket]:
    """The decision that nothing is to be done."""
    assert basket is not None
    return Change(basket)


def refuse(basket: Basket | None) -> Change[Basket]:
    raise BasketFull()


def break_down(basket: Basket | None) -> Change[Basket]:
    raise ZeroDivisionError("a fault in the code")


def heard(sequence: int, source: str = "s", at: datetime | None = None) -> Message:
    """A message of another record, as a handler has it in hand."""
    time = at or datetime(2026, 3, 2, tzinfo=UTC)
    id = f"{source}-{sequence}"
    return Message(
        id, SourceSpoke.type(), "/wushe/elsewhere", source, time, sequence, "story", None, SourceSpoke()
    )


def outgoing(key: str, sequence: int, topic: Topic = BASKETS, value: bytes | None = None) -> Outgoing:
    return Outgoing("basket", key, sequence, topic.name, key, value or f"{key}-{sequence}".encode())


async def take(reading: Reading, count: int) -> list[Delivery]:
    """The next `count` deliveries, however they are spread over fetches."""
    taken: list[Delivery] = []
    async with asyncio.timeout(DEADLINE):
        while len(taken) < count:
            taken += await reading.fetch(count - len(taken), 1.0)
    return taken


async def soon(waited_for: Awaitable[object]) -> None:
    """It happens before the deadline."""
    async with asyncio.timeout(DEADLINE):
        await waited_for


async def settled() -> None:
    """Every task that can go on without waiting for time or disk has done so."""
    for _ in range(20):
        await asyncio.sleep(0)
