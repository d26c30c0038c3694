"""Hours of service on a person's record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.volunteers.domain import service_hours
from services.volunteers.domain.calendar import Calendar
from services.volunteers.domain.registry import Volunteer
from services.volunteers.domain.service_hours import ServiceRecord
from services.volunteers.schemas.records import HoursNew, ServiceRecordView
from services.volunteers.service.answers import with_answer
from shared.contracts.base import Message
from shared.contracts.vocabulary import HoursKind
from shared.contracts.volunteers import TaskDone
from shared.errors import Invalid
from shared.http import id_from
from shared.ports import Op, Query, Where
from shared.records import Outcome, Versioned
from shared.run.kit import Kit
from shared.security.digests import is_id

BATCH = 200
FIRST_DAY = date(2000, 1, 1)


class Hours:
    """信用时数 follow from `TaskDone`; 荣誉时数 are entered by staff, where the calendar has room for them."""

    def __init__(self, kit: Kit) -> None:
        self._store = kit.store
        self._clock = kit.clock

    async def write_down(self, event: TaskDone, message: Message) -> None:
        """Put a finished task on the record of whoever did it."""
        person, now = message.subject, self._clock.now()
        profile = await self._store.get(Volunteer, person)
        zone = profile.record.zone if profile else "Asia/Shanghai"
        await self._store.change(
            ServiceRecord,
            event.invitation_id,
            lambda known: service_hours.write_down(known, event, person, zone, now),
            cause=message,
        )

    async def make_up(self, person: Volunteer, asked: HoursNew, op: Op, by: str) -> Outcome[ServiceRecord]:
        """Enter hours afterwards. The calendar first claims the time, so that two entries never overlap; the record
        follows. A repeated request finishes what an interrupted one began."""
        now = self._clock.now()
        new = _record(id_from(op), person, asked, by, now)
        around = [r async for r in self._around(person.id, asked.day) if r.id != new.id]
        await self._store.change(
            Calendar,
            person.id,
            lambda c: service_hours.make_up(c or Calendar(id=person.id, zone=person.zone), new, around, now),
            op=op,
        )
        return await self._store.change(
            ServiceRecord,
            new.id,
            lambda known: with_answer(service_hours.write_down_made_up(known, new), ServiceRecordView.of),
            op=op,
        )

    async def list(self, query: Query) -> list[Versioned[ServiceRecord]]:
        return await self._store.find(ServiceRecord, query)

    async def minutes(self, person: str) -> dict[HoursKind, int]:
        """The totals over all records of this person."""
        total = dict.fromkeys(HoursKind, 0)
        async for record in self._all(Where("volunteer_id", "equal", person)):
            total[record.hours_kind] += record.minutes
        return total

    def _around(self, person: str, day: date) -> AsyncIterator[ServiceRecord]:
        """The records of that day and its neighbours, since a service may run over midnight."""
        return self._all(
            Where("volunteer_id", "equal", person),
            Where("day", "at_least", (day - timedelta(days=1)).isoformat()),
            Where("day", "at_most", (day + timedelta(days=1)).isoformat()),
        )

    async def _all(self, *where: Where) -> AsyncIterator[ServiceRecord]:
        query = Query(where, limit=BATCH)
        while found := await self._store.find(ServiceRecord, query):
            for versioned in found:
                yield versioned.record
            if len(found) < BATCH:
                return
            query = Query(where, limit=BATCH, after=query.cursor(found[-1].record))


def _record(id: str, person: Volunteer, asked: HoursNew, by: str, now: datetime) -> ServiceRecord:
    if asked.day > person.today(now):
        raise Invalid("/day", zh="日期不能在将来", en="the day cannot lie in the future")
    if asked.day < FIRST_DAY:
        raise Invalid(
            "/day",
            zh="日期早于 2000 年：请核对年份",
            en="the day lies before the year 2000: check the year",
        )
    if asked.need_id is not None and not is_id(asked.need_id):  # it travels in an event, as no name may
        raise Invalid("/need_id", zh="请填需求单的编号，或留空", en="give the id of a need, or leave it out")
    earliest = asked.starts or time.min
    started_at = datetime.combine(asked.day, earliest, ZoneInfo(person.zone)).astimezone(UTC)
    ended_at = started_at + timedelta(minutes=asked.minutes)
    if ended_at > now:
        raise Invalid("/minutes", zh="服务还没有结束", en="that service is not over yet")
    known = asked.starts is not None
    return ServiceRecord(
        id=id,
        volunteer_id=person.id,
        need_id=asked.need_id,
        hours_kind=HoursKind.HONOUR,
        day=asked.day.isoformat(),
        minutes=asked.minutes,
        started_at=started_at if known else None,
        ended_at=ended_at if known else None,
        reason=asked.reason,
        recorded_by=by,
        recorded_at=now,
    )
