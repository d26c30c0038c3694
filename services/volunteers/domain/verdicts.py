"""What matching decided about a yes, what it takes back later, and what it says anew about what is open."""

from __future__ import annotations

from datetime import datetime

from services.volunteers.domain.calendar import Calendar, Invitation, Task, about
from services.volunteers.domain.tasks import finish, latest_end
from shared.contracts.matching import SeatFilled, SeatReleased, SeatWon
from shared.contracts.vocabulary import Closing, InvitationStatus, TaskStatus, Urgency
from shared.contracts.volunteers import SlotFreed, TaskTaken, TaskWithdrawn
from shared.records import Change


def win(calendar: Calendar, won: SeatWon, need_id: str, now: datetime) -> Change[Calendar]:
    """The verdict is yes: the claimed slot becomes a task.

    A seat that cannot be kept is given back at once: nobody here claimed it, or its time has moved onto another
    task. A verdict that is only repeated changes nothing but where the task is, what it is about, and how
    urgent it is.
    """
    invitation = calendar.invitations.get(won.invitation_id)
    if invitation is not None and invitation.task is not None:
        moved, ahead = _as_told(invitation, won), (TaskStatus.TAKEN, TaskStatus.CHECKED_IN)
        is_news = moved != invitation and invitation.task.status in ahead
        return Change(calendar.put(moved) if is_news else calendar)
    if invitation is None or invitation.status != InvitationStatus.CLAIMED:
        return _give_back(calendar, won, need_id, now)
    if won.window != invitation.window and calendar.is_taken(won.window, besides=invitation.id):
        lost = invitation.but(
            status=InvitationStatus.FILLED, closing=Closing.CHANGED, ask_at=None, closed_at=now
        )
        return _give_back(calendar.put(lost), won, need_id, now)
    taken = _as_told(invitation, won).but(
        status=InvitationStatus.ACCEPTED,
        ask_at=None,
        window=won.window,
        week=calendar.week_of(won.window),
        month=calendar.month_of(won.window),
        task=Task(seat_id=won.seat_id, taken_at=now, grace_seconds=invitation.grace_seconds),
    )
    after = calendar.put(taken)
    return Change(after, TaskTaken(**about(taken, after.load(now)), seat_id=won.seat_id, window=won.window))


def lose(calendar: Calendar, filled: SeatFilled, now: datetime) -> Change[Calendar]:
    """The verdict is no: the slot is free again."""
    invitation = calendar.invitations.get(filled.invitation_id)
    if invitation is None or invitation.status != InvitationStatus.CLAIMED:
        return Change(calendar)
    lost = invitation.but(status=InvitationStatus.FILLED, closing=filled.reason, ask_at=None, closed_at=now)
    return _freed(calendar, lost, filled.reason, now)


def release(calendar: Calendar, released: SeatReleased, said_at: datetime, now: datetime) -> Change[Calendar]:
    """Matching takes a seat back: the task is off and its time free. Who was already there is checked out as of when that
    was said, however late it is heard, and the hours count."""
    invitation = calendar.invitations.get(released.invitation_id)
    task = invitation.task if invitation is not None else None
    if invitation is None or task is None:
        return Change(calendar)
    if task.status == TaskStatus.CHECKED_IN:
        closing = invitation.but(closing=released.reason)
        heard_late = (task.started_at or now) < said_at < now
        ended_at = latest_end(calendar, invitation, task, said_at if heard_late else now)
        return finish(calendar, closing, task, ended_at, now, by="")
    if task.status != TaskStatus.TAKEN:
        return Change(calendar)
    off = task.but(status=TaskStatus.CANCELLED, overdue=False)
    closed = invitation.but(task=off, closing=released.reason, closed_at=now)
    return _freed(calendar, closed, released.reason, now)


def now_as_urgent(calendar: Calendar, ids: list[str], urgency: Urgency) -> Change[Calendar]:
    """What was not answered, or not decided, shows how urgent it is now."""
    undecided = (InvitationStatus.PENDING, InvitationStatus.CLAIMED)
    asked = [i for id in ids if (i := calendar.invitations.get(id)) and i.status in undecided]
    told = {i.id: i.but(urgency=urgency) for i in asked if i.urgency != urgency}
    return Change(calendar.but(invitations={**calendar.invitations, **told}) if told else calendar)


def _as_told(invitation: Invitation, won: SeatWon) -> Invitation:
    """With the place, the matter and the urgency that the verdict names; verdicts of old named none."""
    return invitation.but(
        area=won.area or invitation.area,
        category=won.category or invitation.category,
        urgency=won.urgency or invitation.urgency,
    )


def _freed(calendar: Calendar, invitation: Invitation, reason: Closing, now: datetime) -> Change[Calendar]:
    after = calendar.put(invitation)
    return Change(after, SlotFreed(**about(invitation, after.load(now)), reason=reason))


def _give_back(calendar: Calendar, won: SeatWon, need_id: str, now: datetime) -> Change[Calendar]:
    ids = {"invitation_id": won.invitation_id, "need_id": need_id, "line_id": won.line_id}
    return Change(calendar, TaskWithdrawn(**ids, load=calendar.load(now), seat_id=won.seat_id))
