"""The deadlines that a calendar owns: answers, verdicts, check-ins and check-outs."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.volunteers.domain.calendar import Calendar, Invitation, about
from shared.contracts.parts import CalendarLoad
from shared.contracts.vocabulary import InvitationStatus
from shared.contracts.volunteers import CalendarEvent, InvitationAccepted, InvitationExpired
from shared.records import Change

FIRST_ASK = timedelta(seconds=5)
LONGEST_ASK = timedelta(seconds=60)
AWAY = timedelta(seconds=60)
"""A deadline acted upon so late passed while nobody was there to be answered."""


def wake(calendar: Calendar, now: datetime) -> Change[Calendar]:
    """Let the deadlines of this calendar pass: unanswered invitations expire, a yes without verdict is asked about
    again, a missing check-in or check-out shows."""
    due = [i for i in calendar.invitations.values() if i.due_at is not None and i.due_at <= now]
    if not due:
        return Change(calendar)
    moved = [_pass_deadline(i, now) for i in due]
    after = calendar.but(invitations={**calendar.invitations, **{i.id: i for i in moved}})
    load = after.load(now)
    return Change(after, *(event for i in moved if (event := _news(i, load, now)) is not None))


def _pass_deadline(invitation: Invitation, now: datetime) -> Invitation:
    if invitation.task is not None:
        return invitation.but(task=invitation.task.but(overdue=True))
    if invitation.status == InvitationStatus.PENDING:
        return invitation.but(status=InvitationStatus.EXPIRED, closed_at=now)
    pause = min(LONGEST_ASK, FIRST_ASK * 2 ** min(invitation.asked + 1, 10))
    return invitation.but(asked=invitation.asked + 1, ask_at=now + pause)


def _news(invitation: Invitation, load: CalendarLoad, now: datetime) -> CalendarEvent | None:
    if invitation.status == InvitationStatus.EXPIRED:
        return InvitationExpired(**about(invitation, load), unseen=now > invitation.expires_at + AWAY)
    if invitation.status == InvitationStatus.CLAIMED:
        return InvitationAccepted(**about(invitation, load), again=True)
    return None
