"""What a person does with a task: withdraw, check in, check out, or not come at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.volunteers.domain.calendar import Calendar, Invitation, Task, about, missed_from
from services.volunteers.domain.refusals import (
    InAnotherService,
    ServiceOverlaps,
    StillDeciding,
    TaskNotOpen,
    TimeIsOver,
    TooEarly,
    TooLateToUndo,
)
from services.volunteers.domain.service_hours import day_of, refuse_full_day
from shared.contracts.parts import Window
from shared.contracts.vocabulary import Closing, InvitationStatus, TaskStatus
from shared.contracts.volunteers import (
    TaskCheckedIn,
    TaskCheckInUndone,
    TaskDone,
    TaskNoShow,
    TaskWithdrawn,
)
from shared.errors import Invalid
from shared.records import Change

LATE = timedelta(days=1)
EARLY = timedelta(hours=2)
FORE = timedelta(days=1)
"""So long before the window, or before it is entered if that is earlier, it may have begun: more is a slip in the date."""
DELAYED = timedelta(hours=2)
"""So long after the window somebody who comes late may still begin."""
LONGEST_SERVICE = timedelta(hours=24)
UNDONE_WITHIN = timedelta(minutes=10)
"""So long after checking in one may say oneself that it was a mistake."""


def withdraw(calendar: Calendar, task_id: str, by: str, now: datetime) -> Change[Calendar]:
    """Give the seat back before having come; late when less than a day is left. Once the time is over nobody can take
    it instead, and staff say what became of it."""
    if calendar.invitation(task_id).status == InvitationStatus.CLAIMED:
        raise StillDeciding()
    invitation, task = _task(calendar, task_id, TaskStatus.TAKEN)
    if now >= invitation.window.end_at:
        raise TimeIsOver()
    late = invitation.window.start_at - now < LATE
    given_up = task.but(
        status=TaskStatus.WITHDRAWN, late=late, overdue=False, done_by={**task.done_by, "withdraw": by}
    )
    closed = invitation.but(task=given_up, closing=Closing.WITHDRAWN, closed_at=now)
    after = calendar.put(closed)
    return Change(after, TaskWithdrawn(**about(closed, after.load(now)), seat_id=task.seat_id, late=late))


def check_in(
    calendar: Calendar,
    task_id: str,
    by: str,
    now: datetime,
    *,
    staff: bool,
    started_at: datetime | None = None,
    recorded: Sequence[Window] = (),
    zone: str | None = None,
) -> Change[Calendar]:
    """The service begins. Staff may enter afterwards when it began: those are made-up hours. `recorded` are services
    around that time that the calendar may know no more, `zone` is where the person lives now."""
    invitation, task = _task(calendar, task_id, TaskStatus.TAKEN)
    if not staff and now < invitation.window.start_at - EARLY:
        raise TooEarly(earliest_at=_on_the_wall(invitation.window.start_at - EARLY, zone or calendar.zone))
    if not staff and now > invitation.window.end_at + DELAYED:
        raise TimeIsOver()
    at = started_at or now
    if at > now:
        raise Invalid("/started_at", zh="开始时间不能在将来", en="the start cannot lie in the future")
    if at < min(invitation.window.start_at, now) - FORE:
        raise Invalid(
            "/started_at",
            zh="开始时间比约定的服务早了一天以上：请核对年、月、日；确是另一次服务的，请补录服务时长",
            en="the start lies more than a day before the service that was agreed: check year, month and day; if it was"
            " another service, enter it as hours",
        )
    _refuse_second_service(calendar, at, recorded)
    here = task.but(
        status=TaskStatus.CHECKED_IN,
        started_at=at,
        made_up=started_at is not None,
        overdue=False,
        done_by={**task.done_by, "check_in": by},
    )
    begun = invitation.but(task=here)
    after = calendar.put(begun)
    return Change(after, TaskCheckedIn(**about(begun, after.load(now)), seat_id=task.seat_id, at=at))


def undo_check_in(
    calendar: Calendar, task_id: str, by: str, now: datetime, *, staff: bool
) -> Change[Calendar]:
    """The check-in was a mistake, of the wrong task for one: the task is as it was before. Later only staff can tell."""
    invitation, task = _task(calendar, task_id, TaskStatus.CHECKED_IN)
    if not staff and (task.made_up or now > (task.started_at or now) + UNDONE_WITHIN):
        raise TooLateToUndo(minutes=UNDONE_WITHIN.seconds // 60)
    taken = task.but(
        status=TaskStatus.TAKEN,
        started_at=None,
        made_up=False,
        overdue=False,
        done_by={**task.done_by, "undo_check_in": by},
    )
    waiting = invitation.but(task=taken)
    after = calendar.put(waiting)
    return Change(after, TaskCheckInUndone(**about(waiting, after.load(now)), seat_id=task.seat_id))


def check_out(
    calendar: Calendar,
    task_id: str,
    by: str,
    now: datetime,
    ended_at: datetime | None = None,
    recorded: Sequence[Window] = (),
) -> Change[Calendar]:
    """The service is over, now or at a time that somebody remembers. `recorded` as in `check_in`. Of hours entered afterwards
    a day has no more than it has."""
    invitation, task = _task(calendar, task_id, TaskStatus.CHECKED_IN)
    end_at, started_at = ended_at or now, task.started_at or now
    if not started_at <= end_at <= now:
        raise Invalid(
            "/ended_at", zh="结束时间须在签到之后、现在之前", en="the end lies between check-in and now"
        )
    if end_at - started_at > LONGEST_SERVICE:
        raise Invalid(
            "/ended_at",
            zh="一次服务不超过 24 小时，请填写实际结束时间",
            en="one service is at most 24 hours; say when it really ended",
        )
    service = Window(start_at=started_at, end_at=end_at)
    _refuse_overlap((*calendar.services(), *recorded), service)
    if task.made_up:
        day = day_of(started_at, calendar.zone)
        refuse_full_day(calendar, task_id, day, service.minutes, now, "/ended_at")
    return finish(calendar, invitation, task, end_at, now, by)


def no_show(
    calendar: Calendar, task_id: str, by: str, now: datetime, zone: str | None = None
) -> Change[Calendar]:
    """Staff saw that nobody came: the seat is free again, and it stands on the invitation. That cannot be taken back, so
    whoever is only late is waited for. `zone` as in `check_in`."""
    invitation, task = _task(calendar, task_id, TaskStatus.TAKEN)
    earliest_at = missed_from(task, invitation.window)
    if now < earliest_at:
        raise TooEarly(earliest_at=_on_the_wall(earliest_at, zone or calendar.zone))
    absent = task.but(status=TaskStatus.NO_SHOW, overdue=False, done_by={**task.done_by, "no_show": by})
    closed = invitation.but(
        status=InvitationStatus.NO_SHOW, task=absent, closing=Closing.NO_SHOW, closed_at=now
    )
    after = calendar.put(closed)
    return Change(after, TaskNoShow(**about(closed, after.load(now)), seat_id=task.seat_id))


def finish(
    calendar: Calendar, invitation: Invitation, task: Task, ended_at: datetime, now: datetime, by: str
) -> Change[Calendar]:
    """Check out: the time from check-in until then was service."""
    started_at = task.started_at or ended_at
    minutes = int((ended_at - started_at).total_seconds() // 60)
    done_by = {**task.done_by, "check_out": by} if by else task.done_by
    done = task.but(
        status=TaskStatus.DONE, ended_at=ended_at, minutes=minutes, overdue=False, done_by=done_by
    )
    closed = invitation.but(task=done, closed_at=now)
    after = calendar.put(closed)
    said = TaskDone(
        **about(closed, after.load(now)),
        seat_id=done.seat_id,
        household_id=invitation.household_id,
        started_at=started_at,
        ended_at=ended_at,
        minutes=minutes,
        made_up=done.made_up,
    )
    return Change(after, said)


def latest_end(calendar: Calendar, invitation: Invitation, task: Task, until: datetime) -> datetime:
    """When a service ended that nobody checked out of before the seat was taken back: then, if nothing else stands in
    between; but if the check-out was overdue by then, it counts as long as it was to last."""
    started_at, window = task.started_at or until, invitation.window
    as_long = started_at + (window.end_at - window.start_at)
    sooner = as_long <= window.start_at  # it came about before the time that was agreed
    planned = as_long if sooner else max(window.end_at, as_long)
    overdue = until > planned + timedelta(seconds=task.grace_seconds)
    others = [service.start_at for service in calendar.services() if service.start_at >= started_at]
    return min(planned if overdue else until, started_at + LONGEST_SERVICE, *others)


def _task(calendar: Calendar, task_id: str, wanted: TaskStatus) -> tuple[Invitation, Task]:
    invitation, task = calendar.task(task_id)
    if task.status != wanted:
        raise TaskNotOpen(status_zh=task.status.zh, status_en=task.status.en)
    return invitation, task


def _refuse_second_service(calendar: Calendar, at: datetime, recorded: Sequence[Window]) -> None:
    """Nobody serves in two places: not while another service goes on, not within one that is on record."""
    if any(i.task and i.task.status == TaskStatus.CHECKED_IN for i in calendar.invitations.values()):
        raise InAnotherService()
    if any(service.start_at <= at < service.end_at for service in (*calendar.services(), *recorded)):
        raise ServiceOverlaps("/started_at")


def _refuse_overlap(services: Sequence[Window], service: Window) -> None:
    if any(other.overlaps(service) for other in services):
        raise ServiceOverlaps("/ended_at")


def _on_the_wall(moment: datetime, zone: str) -> str:
    """This moment as the clock shows it there."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
