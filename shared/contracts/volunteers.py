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
    zh = "{subject}的登记信息已更新"
    en = "{subject} is on the volunteers' register"

    state: VolunteerState


class TeamChanged(Event):
    name = "team.changed"
    topic = topics.TEAM
    zh = "志愿服务队已更新，共{members}人"
    en = "A team of volunteers is on record: {members} member(s)"

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
    zh = "邀约已送到{opened}，{expires_at}前有效"
    en = "Asked, and may answer until {expires_at}: {opened}"

    need_id: str
    line_id: str
    expires_at: datetime
    opened: tuple[Opened, ...]


class InvitationRefused(CalendarEvent):
    """The person cannot be asked now; `rule` says why (budget, quiet hours, cap, block, overlap, not active)."""

    name = "invitation.refused"
    zh = "暂不打扰{subject}：{rule}"
    en = "{subject} is not asked now: {rule}"

    rule: v.Rule


class InvitationAccepted(CalendarEvent):
    """The person said yes and the slot is claimed; matching decides about the seat.

    `again` marks the same yes asked about once more because no verdict came.
    """

    name = "invitation.accepted"
    zh = "{subject}答应了，时间已为此留出"
    en = "{subject} says yes; the time is kept free for it"

    again: bool = False


class InvitationDeclined(CalendarEvent):
    name = "invitation.declined"
    zh = "{subject}婉拒：{reason}"
    en = "{subject} says no: {reason}"

    reason: v.DeclineReason


class InvitationExpired(CalendarEvent):
    """Nobody answered in time; if `unseen`, nobody could: the offer came after its time, or ran out while all was down."""

    name = "invitation.expired"
    zh = "{subject}没有答复，邀约已过期"
    en = "{subject} has not answered; the invitation expires"

    unseen: bool = False


class SlotFreed(CalendarEvent):
    """Time that was claimed or taken is free again, because matching said so: the seat was filled or released."""

    name = "slot.freed"
    zh = "{subject}的时间空出来了"
    en = "{subject}'s time is free again"

    reason: v.Closing


class TaskTaken(CalendarEvent):
    """The seat was won and stands in the person's calendar as a task."""

    name = "task.taken"
    zh = "接单：{subject}的日程里有了这项任务"
    en = "{subject} now has the task in their calendar"

    seat_id: str
    window: Window


class TaskWithdrawn(CalendarEvent):
    """The person gave the seat back. `late` when less than a day was left."""

    name = "task.withdrawn"
    zh = "{subject}临时退出，席位空出"
    en = "{subject} drops out; the seat is free again"

    seat_id: str
    late: bool = False


class TaskNoShow(CalendarEvent):
    name = "task.no_show"
    zh = "{subject}没有到场"
    en = "{subject} did not come"

    seat_id: str


class TaskCheckedIn(CalendarEvent):
    name = "task.checked_in"
    zh = "{subject}已签到，服务开始"
    en = "{subject} checks in: the service begins"

    seat_id: str
    at: datetime


class TaskCheckInUndone(CalendarEvent):
    """The check-in was a mistake: nobody has begun, and the task is as it was before."""

    name = "task.check_in_undone"
    zh = "{subject}撤销误签到"
    en = "{subject} had checked in by mistake, and takes it back"

    seat_id: str


class TaskDone(CalendarEvent):
    """The person checked out (or staff did for them); `minutes` is the time of service."""

    name = "task.done"
    zh = "{subject}已签退，服务{minutes}"
    en = "{subject} checks out after {minutes}"

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
    zh = "{volunteer_id}的{kind}已记录：{minutes}"
    en = "{volunteer_id}: {minutes} of {kind} on record"

    volunteer_id: str
    need_id: str | None = None
    kind: v.HoursKind
    minutes: int
