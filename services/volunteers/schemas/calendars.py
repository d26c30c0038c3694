"""Invitations, tasks and calendars as they are answered and shown: never a name, a phone or an address."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from services.volunteers.domain.calendar import Calendar, Invitation
from shared.contracts.parts import Reason, Window
from shared.contracts.vocabulary import (
    Category,
    Closing,
    Criterion,
    DeclineReason,
    InvitationStatus,
    Mode,
    Ring,
    Skill,
    TaskStatus,
    Urgency,
)
from shared.http import Moment, Schema
from shared.places import Atlas


class Decline(Schema):
    reason: DeclineReason


class CheckIn(Schema):
    """`started_at` is for staff who enter afterwards when a service began: a day before its window at the earliest, or a
    day ago if it came about sooner."""

    started_at: Moment | None = None


class CheckOut(Schema):
    """`ended_at` is for those who forgot to check out when the service was over."""

    ended_at: Moment | None = None


class Errand(Schema):
    """What an invitation or a task is about. `site_id` is the station whose need it is: whom to ask."""

    id: str
    site_id: str
    volunteer_id: str
    need_id: str
    line_id: str
    category: Category
    skills: tuple[Skill, ...]
    mode: Mode
    urgency: Urgency
    window: Window
    area: str
    area_names: tuple[str, ...]


class InvitationView(Errand):
    """`reasons` are without continuity, which would tell whose household it is before anybody has said yes; staff find it in
    the match."""

    ring: Ring
    status: InvitationStatus
    reasons: tuple[Reason, ...]
    opened_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    answered_by: str | None
    decline_reason: DeclineReason | None
    closing: Closing | None

    @classmethod
    def of(cls, volunteer_id: str, invitation: Invitation, atlas: Atlas) -> Self:
        return cls(
            **_errand(volunteer_id, invitation, atlas),
            ring=invitation.ring,
            status=invitation.status,
            reasons=tuple(r for r in invitation.reasons if r.criterion is not Criterion.CONTINUITY),
            opened_at=invitation.opened_at,
            expires_at=invitation.expires_at,
            answered_at=invitation.answered_at,
            answered_by=invitation.answered_by,
            decline_reason=invitation.decline_reason,
            closing=invitation.closing,
        )


class TaskView(Errand):
    """`overdue`: the check-in or check-out is missing. `late`: given back with less than a day to go."""

    seat_id: str
    status: TaskStatus
    taken_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    minutes: int
    late: bool
    made_up: bool
    overdue: bool
    done_by: dict[str, str]

    @classmethod
    def of(cls, volunteer_id: str, invitation: Invitation, atlas: Atlas) -> Self:
        task = invitation.task
        assert task is not None, "an invitation without a task is shown as an invitation"
        return cls(
            **_errand(volunteer_id, invitation, atlas),
            seat_id=task.seat_id,
            status=task.status,
            taken_at=task.taken_at,
            started_at=task.started_at,
            ended_at=task.ended_at,
            minutes=task.minutes,
            late=task.late,
            made_up=task.made_up,
            overdue=task.overdue,
            done_by=task.done_by,
        )


class StillDecidingView(Schema):
    """The yes is claimed and the verdict on its way; look again at `location`."""

    id: str
    status: InvitationStatus
    location: str


class OtherView(Schema):
    """Another open invitation that the person could take instead."""

    id: str
    category: Category
    window: Window
    area: str
    area_names: tuple[str, ...]

    @classmethod
    def of(cls, invitation: Invitation, atlas: Atlas) -> Self:
        return cls(
            id=invitation.id,
            category=invitation.category,
            window=invitation.window,
            area=invitation.area,
            area_names=tuple(atlas.area_names(invitation.area)),
        )


class InsteadView(Schema, extra="ignore"):
    """What stands beside the refusal of a seat that is gone."""

    other: OtherView | None = None


class CalendarView(Schema):
    """Everything that competes for a person's time, and how much of their week is spoken for."""

    volunteer_id: str
    zone: str
    invitations: tuple[InvitationView, ...]
    tasks: tuple[TaskView, ...]
    contacted_at: tuple[datetime, ...]
    minutes_by_week: dict[str, int]
    tasks_by_month: dict[str, int]

    @classmethod
    def of(cls, calendar: Calendar, atlas: Atlas, now: datetime) -> Self:
        load = calendar.load(now)
        held = sorted(calendar.invitations.values(), key=lambda i: (i.window.start_at, i.id))
        return cls(
            volunteer_id=calendar.id,
            zone=calendar.zone,
            invitations=tuple(InvitationView.of(calendar.id, i, atlas) for i in held if i.task is None),
            tasks=tuple(TaskView.of(calendar.id, i, atlas) for i in held if i.task is not None),
            contacted_at=load.contacted_at,
            minutes_by_week=load.minutes_by_week,
            tasks_by_month=load.tasks_by_month,
        )


def _errand(volunteer_id: str, invitation: Invitation, atlas: Atlas) -> dict[str, Any]:
    same = ("id", "site_id", "need_id", "line_id", "category", "skills", "mode", "urgency", "window", "area")
    shown = {field: getattr(invitation, field) for field in same}
    return shown | {"volunteer_id": volunteer_id, "area_names": tuple(atlas.area_names(invitation.area))}
