"""服务时长: hours on a person's record. 信用时数 come from check-in, 荣誉时数 are made up by staff afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.volunteers.domain.calendar import Calendar, Invitation, MadeUp
from services.volunteers.domain.refusals import DayFull, ServiceOverlaps
from services.volunteers.domain.week import DAY_MINUTES
from shared.contracts import topics
from shared.contracts.parts import Window
from shared.contracts.vocabulary import HoursKind, TaskStatus
from shared.contracts.volunteers import HoursRecorded, TaskDone
from shared.records import Change, Record, index

REMEMBERED = timedelta(days=100)


class ServiceRecord(Record):
    """One service, written once and never changed. Its id is that of the task, if it comes from one.

    `day` is the day (ISO) on which it began, where the person lives; `reason` is the clerk's words and goes
    nowhere else.
    """

    kind = "service_record"
    topic = topics.SERVICE_RECORD
    indexes = (index("volunteer_id", "day"),)

    volunteer_id: str
    need_id: str | None = None
    hours_kind: HoursKind
    day: str
    minutes: int
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    recorded_by: str | None = None
    recorded_at: datetime

    @property
    def service(self) -> Window | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return Window(start_at=self.started_at, end_at=self.ended_at)


def write_down(
    known: ServiceRecord | None, done: TaskDone, volunteer_id: str, zone: str, now: datetime
) -> Change[ServiceRecord]:
    """Put a finished task on the person's record, once."""
    if known is not None:
        return Change(known)
    return _recorded(
        ServiceRecord(
            id=done.invitation_id,
            volunteer_id=volunteer_id,
            need_id=done.need_id,
            hours_kind=HoursKind.HONOUR if done.made_up else HoursKind.CREDIT,
            day=done.started_at.astimezone(ZoneInfo(zone)).date().isoformat(),
            minutes=done.minutes,
            started_at=done.started_at,
            ended_at=done.ended_at,
            recorded_at=now,
        )
    )


def write_down_made_up(known: ServiceRecord | None, new: ServiceRecord) -> Change[ServiceRecord]:
    """Put hours on the record that staff made up and the calendar had room for, once."""
    return Change(known) if known is not None else _recorded(new)


def make_up(
    calendar: Calendar, new: ServiceRecord, recorded: Sequence[ServiceRecord], now: datetime
) -> Change[Calendar]:
    """Find room for made-up hours: no second service at the same time, and no day of more than 24 hours.

    `recorded` are the records around that day as they were read; the calendar knows what is newer than they.
    """
    if any(m.record_id == new.id for m in calendar.made_up):
        return Change(calendar)
    _refuse_overlap(calendar, new, recorded)
    refuse_full_day(calendar, new.id, new.day, new.minutes, now, "/minutes", recorded)
    entry = MadeUp(
        record_id=new.id,
        day=date.fromisoformat(new.day),
        minutes=new.minutes,
        started_at=new.started_at,
        entered_at=now,
    )
    kept = tuple(m for m in calendar.made_up if m.entered_at > now - REMEMBERED)
    return Change(calendar.but(made_up=(*kept, entry)))


def _refuse_overlap(calendar: Calendar, new: ServiceRecord, recorded: Sequence[ServiceRecord]) -> None:
    service = new.service
    if service is None:
        return
    known = [*calendar.services(), *(w for r in recorded if (w := r.service) is not None)]
    if any(other.overlaps(service) for other in known):
        raise ServiceOverlaps("/starts")
    for invitation in calendar.invitations.values():
        began = _going_on_since(invitation)
        if began is not None and began < service.end_at:
            raise ServiceOverlaps("/starts")


def refuse_full_day(
    calendar: Calendar,
    id: str,
    day: str,
    minutes: int,
    now: datetime,
    field: str,
    recorded: Sequence[ServiceRecord] = (),
) -> None:
    """Refuse so many minutes more on this day. Each record of it counts once, whether it was read or stands in the calendar
    only; and what is going on as if it ended with its window, or now if that is later."""
    known = {r.id: r.minutes for r in recorded if r.day == day}
    known |= {m.record_id: m.minutes for m in calendar.made_up if m.day.isoformat() == day}
    for i in calendar.invitations.values():
        if i.task and i.task.service and day_of(i.task.service.start_at, calendar.zone) == day:
            known[i.id] = i.task.minutes
        elif (began := _going_on_since(i)) and day_of(began, calendar.zone) == day:
            known[i.id] = Window(start_at=began, end_at=max(now, i.window.end_at)).minutes
    known.pop(id, None)
    if sum(known.values()) + minutes > DAY_MINUTES:
        raise DayFull(field, minutes=sum(known.values()))


def _going_on_since(invitation: Invitation) -> datetime | None:
    task = invitation.task
    return task.started_at if task is not None and task.status == TaskStatus.CHECKED_IN else None


def day_of(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()


def _recorded(record: ServiceRecord) -> Change[ServiceRecord]:
    said = HoursRecorded(
        volunteer_id=record.volunteer_id,
        need_id=record.need_id,
        kind=record.hours_kind,
        minutes=record.minutes,
    )
    return Change(record, said)
