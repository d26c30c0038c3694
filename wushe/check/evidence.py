"""What a recount goes by: every service's records, the log, and how far everybody has read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from shared.contracts import TOPICS
from shared.errors import Illegible, WusheError
from shared.ports import Bus, Delivery, Query, Store
from shared.records import Record
from wushe.language import say
from wushe.system import RECORDS

R = TypeVar("R", bound=Record)
PAGE = 1000
SHOWN = 10


class RecordsUnreadable(WusheError):
    """Stored records are damaged, or of another version of this software. Quotes nothing of them."""

    def __init__(self, found: Sequence[tuple[str, Illegible]]) -> None:
        self.found = [f"{name} {no.id} ({no.fields})" for name, no in found]
        super().__init__(
            say(
                "有 {n} 条记录读不懂，无法核对：{some}。数据已损坏，或属于另一版本的软件",
                "{n} record(s) cannot be read, so nothing can be recounted: {some}. They are damaged, or of another version",
                n=len(self.found),
                some="; ".join(self.found[:SHOWN]) + ("; …" if len(self.found) > SHOWN else ""),
            )
        )


class Progress(NamedTuple):
    """How far the log goes and how far each group has come, by topic; the age of the oldest unpublished message."""

    ends: Mapping[str, int]
    read: Mapping[tuple[str, str], int]
    unpublished_seconds: float

    @property
    def at_rest(self) -> bool:
        """Nothing is under way: all published, all read."""
        return not self.unpublished_seconds and all(
            self.ends[topic] <= at for (_, topic), at in self.read.items()
        )

    def has_passed(self, mark: Progress, seconds: float) -> bool:
        """Whether everything that was under way at `mark`, `seconds` ago, has been published and read."""
        published = self.unpublished_seconds < seconds
        return published and all(mark.ends.get(topic, 0) <= at for (_, topic), at in self.read.items())


@dataclass(frozen=True)
class Evidence:
    """Read-only access to one system. `live` tells whether it is running meanwhile."""

    stores: Mapping[str, Store]
    bus: Bus
    progress: Callable[[], Awaitable[Progress]]
    live: bool
    looked_through: set[tuple[str, type[Record]]] = field(default_factory=set)

    async def records(self, service: str, kind: type[R]) -> AsyncIterator[R]:
        """Every record of this kind, by id. Raises Illegible."""
        self.looked_through.add((service, kind))
        after: tuple[str, str] | None = None
        while True:
            page = await self.stores[service].find(kind, Query(limit=PAGE, after=after))
            for found in page:
                yield found.record
            if len(page) < PAGE:
                return
            after = (page[-1].record.id, page[-1].record.id)

    async def look_through_the_rest(self) -> None:
        """Read what no rule asks for, only to know that it can be read. Raises Illegible."""
        for service, kinds in RECORDS.items():
            for kind in kinds:
                if (service, kind) not in self.looked_through:
                    async for _ in self.records(service, kind):
                        pass

    async def unreadable(self) -> RecordsUnreadable:
        """All records of all kinds that cannot be read."""
        found = [
            (f"{service}.{kind.kind}", no)
            for service, kinds in RECORDS.items()
            for kind in kinds
            for no in await self._unreadable(service, kind)
        ]
        return RecordsUnreadable(found)

    async def _unreadable(self, service: str, kind: type[Record]) -> list[Illegible]:
        """Where a page cannot be read, one record after another, until one can."""
        found: list[Illegible] = []
        after: tuple[str, str] | None = None
        limit = PAGE
        while True:
            try:
                page = await self.stores[service].find(kind, Query(limit=limit, after=after))
            except Illegible as no:
                if limit == 1:
                    if found and found[-1].id == no.id:  # an id that is no text: there is no going past it
                        return found
                    found.append(no)
                    after = (no.id, no.id)
                limit = 1
                continue
            if len(page) < limit:
                return found
            after = (page[-1].record.id, page[-1].record.id)
            limit = min(PAGE, limit * 2)

    async def everything(self, service: str, kind: type[R]) -> dict[str, R]:
        """The same, by id."""
        return {record.id: record async for record in self.records(service, kind)}

    async def log(self) -> AsyncIterator[Delivery]:
        """Every message there is, topic by topic."""
        for topic in TOPICS:
            reading = await self.bus.read([topic], group=None)
            try:
                while (batch := await reading.fetch(PAGE, 0.0)) or await reading.lag():
                    for delivery in batch:
                        yield delivery
            finally:
                await reading.close()
