"""What a recount goes by: every service's records, the log, and how far everybody has read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from shared.contracts import TOPICS
from shared.errors import WusheError
from shared.ports import Bus, Delivery, Query, Store
from shared.records import Record
from wushe.language import say

R = TypeVar("R", bound=Record)
PAGE = 1000


class RecordUnreadable(WusheError):
    """A stored record is damaged, or of another version of this software. Quotes nothing of it."""

    def __init__(self, kind: str, after: str, fields: str) -> None:
        super().__init__(
            say(
                "{kind} 中 {after} 之后的一条记录读不懂（{fields}）：数据已损坏，或属于另一版本的软件",
                "the record after {after} in {kind} cannot be read ({fields}): it is damaged, or of another version",
                kind=kind,
                after=after or "-",
                fields=fields,
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

    async def records(self, service: str, kind: type[R]) -> AsyncIterator[R]:
        """Every record of this kind, by id. Raises RecordUnreadable."""
        after: tuple[str, str] | None = None
        limit = PAGE
        while True:
            try:
                page = await self.stores[service].find(kind, Query(limit=limit, after=after))
            except ValidationError as e:
                if limit == 1:
                    fields = sorted({".".join(map(str, each["loc"])) or "JSON" for each in e.errors()})
                    name = f"{service}.{kind.kind}"
                    raise RecordUnreadable(name, after[1] if after else "", ", ".join(fields)) from e
                limit = 1  # one by one, to say which
                continue
            for found in page:
                yield found.record
            if len(page) < limit:
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
