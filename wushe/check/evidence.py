"""What a recount goes by: every service's records, the log, and how far everybody has read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from shared.contracts import TOPICS
from shared.ports import Bus, Delivery, Query, Store
from shared.records import Record

R = TypeVar("R", bound=Record)
PAGE = 1000


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

    async def records(self, service: str, kind: type[R]) -> AsyncIterator[R]:
        """Every record of this kind, by id."""
        after: tuple[str, str] | None = None
        while True:
            page = await self.stores[service].find(kind, Query(limit=PAGE, after=after))
            for found in page:
                yield found.record
            if len(page) < PAGE:
                return
            after = (page[-1].record.id, page[-1].record.id)

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
