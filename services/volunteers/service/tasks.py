"""Tasks: withdrawing, checking in and out, not coming."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from services.volunteers.domain import tasks
from services.volunteers.domain.calendar import KEPT, Calendar
from services.volunteers.domain.registry import Volunteer
from services.volunteers.domain.service_hours import ServiceRecord
from services.volunteers.domain.tasks import LONGEST_SERVICE
from services.volunteers.schemas.calendars import TaskView
from services.volunteers.service.answers import existing, owner_of, with_answer
from shared.contracts.parts import Window
from shared.ports import Op, Query, Where
from shared.records import Change, Outcome
from shared.run.kit import Kit

AROUND = timedelta(days=2)
"""A day of a record is one where the person lives, and a service may run over midnight."""
AT_MOST = 1000


class Tasks:
    """What happens to a seat that was won, in the calendar of whoever won it. `by` is kept on the task."""

    def __init__(self, kit: Kit) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._atlas = kit.atlas

    async def withdraw(self, id: str, op: Op, by: str) -> Outcome[Calendar]:
        return await self._change(id, op, lambda c, now: tasks.withdraw(c, id, by, now))

    async def check_in(
        self, id: str, op: Op, by: str, *, staff: bool, started_at: datetime | None
    ) -> Outcome[Calendar]:
        recorded, zone = await self._recorded_around(id, started_at), await self._zone(id)
        return await self._change(
            id,
            op,
            lambda c, now: tasks.check_in(
                c, id, by, now, staff=staff, started_at=started_at, recorded=recorded, zone=zone
            ),
        )

    async def undo_check_in(self, id: str, op: Op, by: str, *, staff: bool) -> Outcome[Calendar]:
        return await self._change(id, op, lambda c, now: tasks.undo_check_in(c, id, by, now, staff=staff))

    async def check_out(self, id: str, op: Op, by: str, ended_at: datetime | None) -> Outcome[Calendar]:
        recorded = await self._recorded_around(id, ended_at)
        return await self._change(id, op, lambda c, now: tasks.check_out(c, id, by, now, ended_at, recorded))

    async def note_no_show(self, id: str, op: Op, by: str) -> Outcome[Calendar]:
        zone = await self._zone(id)
        return await self._change(id, op, lambda c, now: tasks.no_show(c, id, by, now, zone))

    async def _zone(self, id: str) -> str | None:
        """Where the person lives now: their calendar hears of a move only when they are asked again."""
        profile = await self._store.get(Volunteer, owner_of(id))
        return profile.record.zone if profile else None

    async def _recorded_around(self, id: str, moment: datetime | None) -> list[Window]:
        """This person's services around a moment long ago, which their calendar has forgotten. Of newer ones it knows
        more than the records."""
        if moment is None or moment > self._clock.now() - KEPT + LONGEST_SERVICE:
            return []
        days = [(moment + by).date().isoformat() for by in (-AROUND, AROUND)]
        query = Query(
            (
                Where("volunteer_id", "equal", owner_of(id)),
                Where("day", "at_least", days[0]),
                Where("day", "at_most", days[1]),
            ),
            limit=AT_MOST,
        )
        found = await self._store.find(ServiceRecord, query)
        return [w for v in found if v.record.id != id and (w := v.record.service) is not None]

    async def _change(
        self, id: str, op: Op, decide: Callable[[Calendar, datetime], Change[Calendar]]
    ) -> Outcome[Calendar]:
        now, person = self._clock.now(), owner_of(id)
        return await self._store.change(
            Calendar,
            person,
            lambda c: with_answer(
                decide(existing(c), now), lambda after: TaskView.of(person, after.invitation(id), self._atlas)
            ),
            op=op,
        )
