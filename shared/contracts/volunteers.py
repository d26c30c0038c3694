"""What the volunteer registry says. Events of a calendar have the volunteer's id as subject."""

from __future__ import annotations

from datetime import datetime

from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.base import Event, Part
from shared.contracts.parts import CalendarLoad, VolunteerState, Window


class VolunteerChanged(Event):
    """A volunteer registered or changed: whole state, the newest is enough."""

    name = "volunteer.changed"
    topic = topics.VOLUNTEER

    state: VolunteerState


class TeamChanged(Event):
    name = "team.changed"
    topic = topics.TEAM

    site_id: str
    organisation_id: str | None = None
    leader_id: str
    member_ids: tuple[str, ...]
    active: bool = True


class CalendarEvent(Event):
    """Something in a volunteer's calendar about one invitation. A task has its invitation's id.

    `load` is the whole state of the calendar after this, for whoever plans.
    """

    topic = topics.CALENDAR

    invitation_id: str
    need_id: str
    line_id: str
    load: CalendarLoad = CalendarLoad()


class Opened(Part):
    """One person who was asked, and the state of their calendar after it."""

    invitation_id: str
    volunteer_id: str
    load: CalendarLoad


class InvitationsOpened(Event):
    """People were asked for one line, all those of one wave who could be: one message for all of them, because it
    decides nothing and a wave may be large. The subject is the asking."""

    name = "invitations.opened"
    topic = topics.ASKING

    need_id: str
    line_id: str
    expires_at: datetime
    opened: tuple[Opened, ...]


class InvitationRefused(CalendarEvent):
    """The person cannot be asked now; `rule` says why (budget, quiet hours, cap, block, overlap, not active)."""

    name = "invitation.refused"

    rule: v.Rule


class InvitationAccepted(CalendarEvent):
    """The person said yes and the slot is claimed; matching decides about the seat.

    `again` marks the same yes asked about once more because no verdict came.
    """

    name = "invitation.accepted"

    again: bool = False


class InvitationDeclined(CalendarEvent):
    name = "invitation.declined"

    reason: v.DeclineReason


class InvitationExpired(CalendarEvent):
    name = "invitation.expired"


class SlotFreed(CalendarEvent):
    """Time that was claimed or taken is free again, because matching said so: the seat was filled or released."""

    name = "slot.freed"

    reason: v.Closing


class TaskTaken(CalendarEvent):
    """The seat was won and stands in the person's calendar as a task."""

    name = "task.taken"

    seat_id: str
    window: Window


class TaskWithdrawn(CalendarEvent):
    """The person gave the seat back. `late` when less than a day was left."""

    name = "task.withdrawn"

    seat_id: str
    late: bool = False


class TaskNoShow(CalendarEvent):
    name = "task.no_show"

    seat_id: str


class TaskCheckedIn(CalendarEvent):
    name = "task.checked_in"

    seat_id: str
    at: datetime


class TaskDone(CalendarEvent):
    """The person checked out (or staff did for them); `minutes` is the time of service."""

    name = "task.done"

    seat_id: str
    household_id: str
    started_at: datetime
    ended_at: datetime
    minutes: int
    made_up: bool = False


class HoursRecorded(Event):
    """Hours stand on the volunteer's record; the subject is the service record. Hours that staff made up need not
    come from a need."""

    name = "hours.recorded"
    topic = topics.SERVICE_RECORD

    volunteer_id: str
    need_id: str | None = None
    kind: v.HoursKind
    minutes: int
