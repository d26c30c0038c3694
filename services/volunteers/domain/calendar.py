"""A person's calendar: one record, so that one change decides and nobody is ever in two places."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Self

from pydantic import Field

from services.volunteers.domain.week import month_of, week_of
from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.base import Part, copied
from shared.contracts.parts import CalendarLoad, Reason, Window
from shared.errors import NotFound
from shared.records import Record

BUDGET_PERIOD = timedelta(days=7)
KEPT = timedelta(days=31)
# Looked up once: this is the busiest code of the system, and naming a member through its enum is slow.
PENDING, CLAIMED = v.InvitationStatus.PENDING, v.InvitationStatus.CLAIMED
TAKEN, CHECKED_IN, DONE = v.TaskStatus.TAKEN, v.TaskStatus.CHECKED_IN, v.TaskStatus.DONE
HOLDING = (TAKEN, CHECKED_IN, DONE)


class Entry(Part):
    def but(self, **changes: Any) -> Self:
        return copied(self, changes)


class Task(Entry):
    """A seat that was won. `done_by` keeps whose account did what; `overdue` that somebody should look."""

    seat_id: str
    status: v.TaskStatus = TAKEN
    taken_at: datetime
    grace_seconds: int = 1800
    started_at: datetime | None = None
    ended_at: datetime | None = None
    minutes: int = 0
    late: bool = False
    made_up: bool = False
    overdue: bool = False
    done_by: dict[str, str] = Field(default_factory=dict)

    @property
    def service(self) -> Window | None:
        """The time of service, once it is over."""
        if self.status != DONE or self.started_at is None or self.ended_at is None:
            return None
        return Window(start_at=self.started_at, end_at=self.ended_at)


class Invitation(Entry):
    """One person asked for one people line, and the task that came of it.

    `week` and `month` are those of the window's start, where the person lives. `ask_at` is when a yes without
    verdict is asked about again, `asked` how often that was done. `closed_at` is set when nothing more can happen.
    """

    id: str
    need_id: str
    line_id: str
    site_id: str
    household_id: str
    category: v.Category
    urgency: v.Urgency
    skills: tuple[v.Skill, ...] = ()
    certificates: tuple[v.Certificate, ...] = ()
    named: bool = False
    mode: v.Mode
    area: str
    ring: v.Ring
    window: Window
    week: str
    month: str
    reasons: tuple[Reason, ...] = ()
    grace_seconds: int = 1800
    status: v.InvitationStatus = PENDING
    opened_at: datetime
    expires_at: datetime
    answered_at: datetime | None = None
    answered_by: str | None = None
    decline_reason: v.DeclineReason | None = None
    closing: v.Closing | None = None
    ask_at: datetime | None = None
    asked: int = 0
    closed_at: datetime | None = None
    task: Task | None = None

    @property
    def holds(self) -> bool:
        """Whether the window is taken: claimed, or a task that was not given up."""
        if self.task is not None:
            return self.task.status in HOLDING
        return self.status is CLAIMED

    @property
    def minutes(self) -> int:
        """What it weighs in the week: the window, or the time of service when that is known."""
        done = self.task is not None and self.task.status is DONE
        return self.task.minutes if self.task and done else self.window.minutes

    @property
    def due_at(self) -> datetime | None:
        """When this invitation must be looked at again by itself."""
        if self.task is not None:
            return _overdue_at(self.task, self.window)
        if self.status is PENDING:
            return self.expires_at
        return self.ask_at if self.status is CLAIMED else None

    def is_open(self, now: datetime) -> bool:
        return self.status is PENDING and now < self.expires_at


class MadeUp(Entry):
    """Hours entered afterwards: kept here so that they and check-ins know of one another."""

    record_id: str
    day: date
    minutes: int
    started_at: datetime | None = None
    entered_at: datetime

    @property
    def service(self) -> Window | None:
        if self.started_at is None:
            return None
        return Window(start_at=self.started_at, end_at=self.started_at + timedelta(minutes=self.minutes))


class Calendar(Record):
    """Everything that competes for one person's time. The id is the volunteer's.

    Its parts are never changed in place. Whatever closed more than 31 days ago has gone; the hours stay in
    `ServiceRecord`.
    """

    kind = "calendar"
    topic = topics.CALENDAR

    zone: str = "Asia/Shanghai"
    turn: int = 0
    """Counts the changes, so that of two states told by different messages the newer is known."""
    invitations: dict[str, Invitation] = Field(default_factory=dict)
    contacted_at: tuple[datetime, ...] = ()
    made_up: tuple[MadeUp, ...] = ()

    @property
    def due_at(self) -> datetime | None:
        return min([due for i in self.invitations.values() if (due := i.due_at) is not None], default=None)

    def but(self, **changes: Any) -> Self:
        return super().but(turn=self.turn + 1, **changes)

    def invitation(self, id: str) -> Invitation:
        found = self.invitations.get(id)
        if found is None:
            raise NotFound()
        return found

    def task(self, id: str) -> tuple[Invitation, Task]:
        found = self.invitation(id)
        if found.task is None:
            raise NotFound()
        return found, found.task

    def put(self, invitation: Invitation) -> Calendar:
        return self.but(invitations={**self.invitations, invitation.id: invitation})

    def held(self) -> list[Invitation]:
        return [i for i in self.invitations.values() if i.holds]

    def is_taken(self, window: Window, besides: str = "") -> bool:
        """Whether a claimed slot or a task lies in this window; touching is not overlapping."""
        return any(i.window.overlaps(window) for i in self.held() if i.id != besides)

    def minutes_in(self, week: str, besides: str = "") -> int:
        return sum([i.minutes for i in self.held() if i.week == week and i.id != besides])

    def contacts(self, now: datetime) -> tuple[datetime, ...]:
        """When this person was asked, in the last seven days."""
        at, since = self.contacted_at, now - BUDGET_PERIOD
        return at if not at or at[0] > since else tuple([moment for moment in at if moment > since])

    def services(self) -> Iterator[Window]:
        """The times of service on record here: tasks that are done, and hours entered afterwards."""
        yield from (w for i in self.invitations.values() if i.task and (w := i.task.service) is not None)
        yield from (w for m in self.made_up if (w := m.service) is not None)

    def week_of(self, window: Window) -> str:
        return week_of(window.start_at, self.zone)

    def month_of(self, window: Window) -> str:
        return month_of(window.start_at, self.zone)

    def load(self, now: datetime) -> CalendarLoad:
        """How busy the person is, as every event of the calendar says it."""
        busy: list[Window] = []
        weeks: dict[str, int] = {}
        months: dict[str, int] = {}
        for held in self.held():
            if held.window.end_at > now:
                busy.append(held.window)
            weeks[held.week] = weeks.get(held.week, 0) + held.minutes
            if held.task is not None:
                months[held.month] = months.get(held.month, 0) + 1
        return CalendarLoad(
            turn=self.turn,
            busy=tuple(busy),
            contacted_at=self.contacts(now),
            minutes_by_week=weeks,
            tasks_by_month=months,
        )

    def pruned(self, now: datetime) -> Calendar:
        """Without what closed long ago, and stamps that no budget counts any more."""
        contacts, since = self.contacts(now), now - KEPT
        old = [i.id for i in self.invitations.values() if i.closed_at is not None and i.closed_at <= since]
        if not old and contacts is self.contacted_at:
            return self
        kept = {id: i for id, i in self.invitations.items() if id not in old}
        return self.but(invitations=kept, contacted_at=contacts)


def about(invitation: Invitation, load: CalendarLoad) -> dict[str, Any]:
    """What every event about an invitation says of it."""
    return {
        "invitation_id": invitation.id,
        "need_id": invitation.need_id,
        "line_id": invitation.line_id,
        "load": load,
    }


def missed_from(task: Task, window: Window) -> datetime:
    """From when on somebody who has not checked in is not just late."""
    return window.start_at + timedelta(seconds=task.grace_seconds)


def _overdue_at(task: Task, window: Window) -> datetime | None:
    """When a missing check-in or check-out becomes visible."""
    if task.overdue:
        return None
    if task.status is TAKEN:
        return missed_from(task, window)
    return window.end_at + timedelta(seconds=task.grace_seconds) if task.status is CHECKED_IN else None
