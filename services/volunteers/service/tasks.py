"""Tasks: withdrawing, checking in and out, not coming."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.volunteers.domain import tasks
from services.volunteers.domain.calendar import Calendar
from services.volunteers.schemas.calendars import TaskView
from services.volunteers.service.answers import existing, owner_of, with_answer
from shared.ports import Op
from shared.records import Change, Outcome
from shared.run.kit import Kit


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
        return await self._change(
            id, op, lambda c, now: tasks.check_in(c, id, by, now, staff=staff, started_at=started_at)
        )

    async def check_out(self, id: str, op: Op, by: str, ended_at: datetime | None) -> Outcome[Calendar]:
        return await self._change(id, op, lambda c, now: tasks.check_out(c, id, by, now, ended_at))

    async def note_no_show(self, id: str, op: Op, by: str) -> Outcome[Calendar]:
        return await self._change(id, op, lambda c, now: tasks.no_show(c, id, by, now))

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
